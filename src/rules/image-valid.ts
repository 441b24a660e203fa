import type { PostgresImage } from '../image-catalog';
import type { PostgresRule, Violation } from './rule';
import { pickImage } from '../resolve/postgres';

const REFERENCE = /^[a-z0-9]([a-z0-9._:-]*[a-z0-9])?(\/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$/;
const VERSION = /^(1[3-9]|[2-9]\d)(\.\d+)?$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const MUTABLE = /:(latest|stable|edge|main|master)$/;
/** The last field is the user id; 0 would be root. */
const MOST_UID = 2 ** 31 - 1;

function referenceProblem({ image, digest }: PostgresImage): string | undefined {
  if (!REFERENCE.test(image)) return `${JSON.stringify(image)} is not an image reference`;
  if (digest !== undefined && !DIGEST.test(digest)) return `the digest ${JSON.stringify(digest)} is not sha256: and 64 hexadecimal digits`;
  if (digest !== undefined && image.includes('@')) return 'the digest stands in image and in digest';
  const pinned = digest !== undefined || image.includes('@');
  const tagged = /:[^/]+$/.test(image);
  return pinned || (tagged && !MUTABLE.test(image)) ? undefined : `${JSON.stringify(image)} names no fixed version`;
}

function imageProblems(image: PostgresImage): Array<readonly [string, string | undefined]> {
  const uid = image.uid ?? 1;
  return [
    ['image', referenceProblem(image)],
    ['version', VERSION.test(image.version) ? undefined : `the version is ${JSON.stringify(image.version)}; PostgreSQL 13 or newer is needed`],
    ['uid', Number.isInteger(uid) && uid > 0 && uid <= MOST_UID ? undefined : `uid is ${uid}; members never run as root`],
    ['binDirectory', (image.binDirectory ?? '/').startsWith('/') ? undefined : 'binDirectory is not an absolute path'],
    ['tini', (image.tini ?? '/').startsWith('/') ? undefined : 'tini is not an absolute path'],
  ];
}

function versionMatches(version: string | undefined, image: PostgresImage | undefined): Violation[] {
  if (!image || version === undefined || version === image.version || image.version.split('.')[0] === version) return [];
  return [{ path: ['version'], problem: `version is ${JSON.stringify(version)}, and the image holds ${JSON.stringify(image.version)}`, fix: 'Leave version out: the image says it' }];
}

export const imageValid: PostgresRule = {
  code: 'EV1403',
  title: 'An image that cannot be used',
  cause: 'An image reference, digest, version, user id or path in image or imageCatalog is malformed, or the tag moves (latest).',
  consequence: 'Members could come back with other programs than they went with, or not at all',
  fix: 'Name a fixed tag or, better, a digest',
  check: ({ props }) => {
    const image = pickImage(props);
    const field = props.image ? 'image' : 'imageCatalog';
    const problems = image ? imageProblems(image) : [];
    return [
      ...problems.flatMap(([name, problem]) => (problem ? [{ path: [field, name], problem }] : [])),
      ...(props.image ? versionMatches(props.version, props.image) : []),
    ];
  },
};
