import type { PostgresImage } from '../image-catalog';
import type { PostgresRule, Violation } from './rule';
import { pickImage } from '../resolve/postgres';

const REFERENCE = /^[a-z0-9]([a-z0-9._:-]*[a-z0-9])?(\/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$/;
const VERSION = /^(1[3-9]|[2-9]\d)(\.\d+)?$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const MUTABLE = /:(latest|stable|edge|main|master)$/;
/** Linux keeps user ids in 32 bits, Kubernetes takes 31 of them. */
const MOST_UID = 2 ** 31 - 1;

/** A violation without the place, which the caller knows. */
type Problem = Omit<Violation, 'path'>;

function digestProblem({ image, digest }: Pick<PostgresImage, 'image' | 'digest'>): string | undefined {
  if (digest === undefined) return undefined;
  if (!DIGEST.test(digest)) return `the digest ${JSON.stringify(digest)} is not sha256: and 64 hexadecimal digits`;
  return image.includes('@') ? 'the digest stands in image and in digest' : undefined;
}

/** Why a reference cannot be used, or would mean something else tomorrow. */
export function referenceProblem({ image, digest }: Pick<PostgresImage, 'image' | 'digest'>): string | undefined {
  if (!REFERENCE.test(image)) return `${JSON.stringify(image)} is not an image reference`;
  if (digest !== undefined || image.includes('@')) return undefined;
  return /:[^/]+$/.test(image) && !MUTABLE.test(image) ? undefined : `${JSON.stringify(image)} names no fixed version`;
}

function versionProblem({ version }: PostgresImage): Problem | undefined {
  return VERSION.test(version) ? undefined : {
    problem: `the version is ${JSON.stringify(version)}; PostgreSQL 13 or newer is needed`,
    consequence: 'The folders of the data and of the programs are named after it',
    fix: 'Write the version that is inside, such as 17.11',
  };
}

function uidProblem({ uid = 1 }: PostgresImage): Problem | undefined {
  return Number.isInteger(uid) && uid > 0 && uid <= MOST_UID ? undefined : {
    problem: `uid is ${uid}`,
    consequence: 'Pod Security would refuse the members: they never run as root',
    fix: 'Name the user id that the image is made for',
  };
}

function pathProblem(path = '/'): Problem | undefined {
  return path.startsWith('/') ? undefined : {
    problem: `${JSON.stringify(path)} is not an absolute path`,
    consequence: 'The program would not be found',
    fix: 'Start it with "/"',
  };
}

function imageProblems(image: PostgresImage): Record<string, Problem | undefined> {
  const [reference, digest] = [referenceProblem(image), digestProblem(image)];
  return {
    image: reference === undefined ? undefined : { problem: reference },
    digest: digest === undefined ? undefined : { problem: digest },
    version: versionProblem(image),
    uid: uidProblem(image),
    binDirectory: pathProblem(image.binDirectory),
    tini: pathProblem(image.tini),
  };
}

function versionMatches(version: string | undefined, image: PostgresImage): Violation[] {
  if (version === undefined || version === image.version || image.version.split('.')[0] === version) return [];
  return [{
    path: ['version'],
    problem: `version is ${JSON.stringify(version)}, and the image holds ${JSON.stringify(image.version)}`,
    consequence: 'One of the two is not what runs',
    fix: 'Leave version out: the image says it',
  }];
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
    const problems = Object.entries(image ? imageProblems(image) : {});
    return [
      ...problems.flatMap(([name, problem]) => (problem ? [{ path: [field, name], ...problem }] : [])),
      ...(props.image ? versionMatches(props.version, props.image) : []),
    ];
  },
};
