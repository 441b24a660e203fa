import { referenceProblem } from './image-valid';
import { DNS_SUBDOMAIN } from './names';
import type { GaleraRule, GaleraRuleInput, Violation } from './rule';
import { GALERA_USERS, PXC_IMAGES } from '../resolve/galera';
import { galeraDatabases } from '../resolve/galera-users';

/** A series, or an exact version of one. */
const VERSION = { 'mariadb': /^(10\.11|11\.8)$/, 'percona-xtradb-cluster': /^8\.[04](\.\d+(-[0-9.]+)?)?$/ } as const;

export const galeraVersion: GaleraRule = {
  code: 'EV2201',
  title: 'A version that is not supported, or one without an image',
  cause: 'version is none of 10.11 and 11.8 (MariaDbCluster), or of 8.0 and 8.4 (PxcCluster), or an exact version of Percona XtraDB Cluster stands without image.',
  consequence: 'Settings and scripts are made for these series, and no image could be named',
  fix: 'Name one of them',
  check: ({ engine, props }) => {
    const { version, image } = props;
    if (version === undefined) return [];
    const known = engine === 'mariadb' ? '10.11 or 11.8' : '8.0 or 8.4';
    if (!VERSION[engine].test(version)) return [{ path: ['version'], problem: `version is ${JSON.stringify(version)}; it is ${known}` }];
    if (engine === 'mariadb' || image !== undefined || Object.hasOwn(PXC_IMAGES, version)) return [];
    return [{ path: ['version'], problem: `no image is known for the version ${version}`, fix: `Name it with image, or use ${known}` }];
  },
};

function images({ engine, props }: GaleraRuleInput): Array<[path: string[], image: string | undefined]> {
  return [
    [['image'], props.image], [['proxy', 'image'], props.proxy?.image], [['pmm', 'image'], props.pmm?.image],
    ...(engine === 'mariadb' ? [] : [[['scriptImage'], props.scriptImage] as [string[], string | undefined]]),
  ];
}

export const galeraImage: GaleraRule = {
  code: 'EV2202',
  title: 'An image that cannot be used',
  cause: 'image, scriptImage, proxy.image or pmm.image is no image reference, or its tag moves (latest).',
  consequence: 'Members could come back with other programs than they went with, or not at all',
  fix: 'Name a fixed tag or, better, a digest',
  check: (input) => images(input).flatMap(([path, image]) => {
    const problem = image === undefined ? undefined : referenceProblem({ image });
    return problem === undefined ? [] : [{ path, problem }];
  }),
};

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;
const RESERVED_DATABASES = new Set(['everest', 'information_schema', 'mysql', 'performance_schema', 'sys']);
const RESERVED_USERS = new Set<string>([...GALERA_USERS.map(({ name }) => name), 'root', 'mysql', 'mariadb.sys', 'credentials', 'tls', 'backup', 'agent']);

/** Whether the server or the cluster itself has such a user, or a Secret that would be called like the user's. */
export function reservedUser(name: string): boolean {
  return RESERVED_USERS.has(name.toLowerCase());
}

function nameProblem(kind: string, name: string, reserved: ReadonlySet<string>): string | undefined {
  if (!NAME.test(name) || name.endsWith('_')) return `the ${kind} is ${JSON.stringify(name)}`;
  return reserved.has(name.toLowerCase()) ? `the ${kind} ${name} belongs to the server or to the cluster itself` : undefined;
}

export const galeraDatabaseNames: GaleraRule = {
  code: 'EV2203',
  title: 'A database or owner with a name that cannot be used',
  cause: 'A name in databases needs quotes in SQL, is reserved, ends with "_", or stands twice.',
  consequence: 'It could not be made, and no Secret could be named after it',
  fix: 'Use a letter or "_", then letters, digits and "_", at most 63 characters, and each database once',
  check: ({ props }) => galeraDatabases(props).flatMap(({ name, owner }, index, all): Violation[] => {
    const twice = all.findIndex((other) => other.name === name) === index ? undefined : `the database ${name} stands twice`;
    const problems = { name: nameProblem('database', name, RESERVED_DATABASES) ?? twice, owner: nameProblem('owner', owner, RESERVED_USERS) };
    return Object.entries(problems).flatMap(([field, problem]) => (problem ? [{ path: ['databases', index, field], problem }] : []));
  }),
};

function secretProblems({ props }: GaleraRuleInput): Violation[] {
  const named = { tlsSecretName: props.tlsSecretName, secretName: props.pmm?.secretName };
  const valid = (name: string | undefined) => name === undefined || (DNS_SUBDOMAIN.test(name) && name.length <= 253);
  return Object.entries(named).flatMap(([field, name]) => (valid(name)
    ? [] : [{ path: field === 'secretName' ? ['pmm', field] : [field], problem: `the name is ${JSON.stringify(name)}` }]));
}

function urlProblem(url: string | undefined): Violation[] {
  if (url === undefined) return [];
  try {
    if (/^https?:$/.test(new URL(url).protocol)) return [];
  } catch {
    // Told below.
  }
  return [{ path: ['pmm', 'url'], problem: `${JSON.stringify(url)} is not an address`, fix: 'Write it as https://pmm.example' }];
}

export const galeraSecrets: GaleraRule = {
  code: 'EV2204',
  title: 'A Secret or server that members could never reach',
  cause: 'tlsSecretName or pmm.secretName is no name that a Secret can have, pmm.url is no address, or credentials come from External Secrets.',
  consequence: 'Members would wait for ever',
  fix: 'Name an existing Secret of the same namespace',
  check: (input) => [
    ...secretProblems(input), ...urlProblem(input.props.pmm?.url),
    ...(input.props.credentials?.externalStore === undefined ? [] : [{
      path: ['credentials'], problem: 'credentials come from External Secrets', consequence: 'Galera clusters do not make ExternalSecrets yet',
      fix: 'Let the operator fill a Secret and name it with Credentials.existing()',
    }]),
  ],
};
