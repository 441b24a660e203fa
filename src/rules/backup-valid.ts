import type { BackupRepository, BackupOptions } from '../backup-options';
import type { BackupStorage, S3StorageOptions } from '../backup-storage';
import { referenceProblem } from './image-valid';
import { DNS_SUBDOMAIN } from './names';
import { peerViolations } from './network-valid';
import type { PostgresRule, RuleText, Violation } from './rule';
import { commonOptions } from '../resolve/backup';

type Path = Array<string | number>;
type Located = readonly [repository: BackupRepository, path: Path];

function repositoriesOf(backup: BackupOptions | undefined): Located[] {
  return backup ? [[backup, ['backup']], ...(backup.secondary ? [[backup.secondary, ['backup', 'secondary']] as Located] : [])] : [];
}

function range(path: Path, value: number | undefined, [low, high]: readonly [number, number]): Violation[] {
  if (value === undefined || (Number.isInteger(value) && value >= low && value <= high)) return [];
  return [{ path, problem: `${String(path.at(-1))} is ${value}`, fix: `Use a whole number from ${low} to ${high}` }];
}

export const backupNumbers: PostgresRule = {
  code: 'EV1803',
  title: 'A number of the backups that is out of range',
  cause: 'Retention keeps nothing, archiveTimeout is shorter than 10 s or longer than an hour, or processes or compressionLevel is out of range.',
  consequence: 'pgBackRest would refuse it, the only backup could be removed, or the archive would cost more than the database',
  fix: 'Use a number within the range that the message names',
  check: ({ props: { backup } }) => [
    ...repositoriesOf(backup).flatMap(([{ retention }, path]) => range([...path, 'retention'], retention?.amount, [1, 9999])),
    ...range(['backup', 'archiveTimeout'], backup?.archiveTimeout?.toSeconds({ integral: false }), [10, 3600]),
    ...range(['backup', 'processes'], backup?.processes, [1, 32]),
    ...range(['backup', 'compressionLevel'], backup?.compressionLevel, [1, 19]),
  ],
};

/** Letters, digits and what buckets, containers and accounts have between them. */
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;
const ACCOUNT = /^[a-z0-9]{3,24}$/;
const REGION = /^[a-z0-9][a-z0-9-]{0,62}$/;
const PREFIX = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;
const ENDPOINT = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9]\d{0,4})?$/;
const ARN = /^arn:[a-z-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/;
const SECRET_KEY = /^[A-Za-z0-9._-]{1,253}$/;

function shaped(path: Path, value: string | undefined, pattern: RegExp): Violation[] {
  return value === undefined || pattern.test(value) ? [] : [{ path, problem: `${String(path.at(-1))} is ${JSON.stringify(value)}` }];
}

/** An object and the key in it. */
function reference(path: Path, name: string | undefined, key: string | undefined): Violation[] {
  return [...shaped(path, name, DNS_SUBDOMAIN), ...shaped(path, key, SECRET_KEY)];
}

function endpointViolations(path: Path, endpoint: string | undefined): Violation[] {
  const violations = shaped(path, endpoint, ENDPOINT);
  const port = Number(endpoint?.split(':')[1] ?? 443);
  const fix = /^https?:\/\//.test(endpoint ?? '') ? 'Leave out the scheme: it is always HTTPS, as in minio.storage.svc:9000' : 'Write host or host:port';
  return violations.length === 0 && port <= 65_535 ? [] : [{ path, problem: `endpoint is ${JSON.stringify(endpoint)}`, fix }];
}

function accessViolations(path: Path, { access }: S3StorageOptions): Violation[] {
  const keys = access.secretKeys ?? {};
  const missing = { 'shared': access.secretName, 'web-id': access.roleArn }[access.keyType] === undefined && access.keyType !== 'pod-id';
  return [
    ...(missing ? [{ path, problem: 'neither a Secret nor a role is named' }] : []),
    ...reference(path, access.secretName, keys.keyId),
    ...reference(path, undefined, keys.secretKey),
    ...shaped(path, access.roleArn, ARN),
  ];
}

function s3Violations(path: Path, options: S3StorageOptions | undefined): Violation[] {
  if (!options) return [];
  const { bucket, region, endpoint, certificateAuthority } = options;
  return [
    ...shaped([...path, 'bucket'], bucket, BUCKET),
    ...shaped([...path, 'region'], region, REGION),
    ...endpointViolations([...path, 'endpoint'], endpoint),
    ...accessViolations([...path, 'access'], options),
    ...reference([...path, 'certificateAuthority'], certificateAuthority?.name, certificateAuthority?.key),
  ];
}

function otherViolations(path: Path, { gcsOptions: gcs, azureOptions: azure }: BackupStorage): Violation[] {
  return [
    ...shaped([...path, 'bucket'], gcs?.bucket, BUCKET),
    ...reference([...path, 'keySecret'], gcs?.keySecret, gcs?.keySecretKey),
    ...shaped([...path, 'container'], azure?.container, BUCKET),
    ...shaped([...path, 'account'], azure?.account, ACCOUNT),
    ...reference([...path, 'keySecret'], azure?.keySecret, azure?.keySecretKey),
  ];
}

/** Untyped code can make a storage or an encryption that says nothing. */
function nameless(path: Path, storage: BackupStorage): Violation[] {
  const { encryption } = commonOptions(storage);
  const { s3Options, gcsOptions, azureOptions, secretOptions } = storage;
  const empty = (s3Options ?? gcsOptions ?? azureOptions ?? secretOptions) === undefined;
  const passless = encryption?.mode === 'existing' && (encryption.secretName === undefined || encryption.key === undefined);
  return [
    ...(empty ? [{ path, problem: 'no bucket is named' }] : []),
    ...(passless ? [{ path: [...path, 'encryption'], problem: 'no Secret is named' }] : []),
  ];
}

/** What is wrong with a storage, wherever it is named. */
export function storageViolations(path: Path, storage: BackupStorage): Violation[] {
  const { prefix, encryption, network } = commonOptions(storage);
  return [
    ...nameless(path, storage),
    ...s3Violations(path, storage.s3Options),
    ...otherViolations(path, storage),
    ...shaped([...path, 'secretName'], storage.secretOptions?.secretName, DNS_SUBDOMAIN),
    ...shaped([...path, 'prefix'], prefix, PREFIX),
    ...reference([...path, 'encryption'], encryption?.secretName, encryption?.key),
    ...peerViolations([...path, 'network'], network),
  ];
}

/** What rclone is told in a Galera cluster: S3, by the keys of a Secret. */
export function keysOfSecret(path: Path, storage: BackupStorage): Violation[] {
  if (storage.secretOptions) return [];
  if (!storage.s3Options) return [{ path, problem: 'the storage is not S3', fix: 'Use BackupStorage.s3()' }];
  return storage.s3Options.access.keyType === 'shared' ? []
    : [{ path: [...path, 'access'], problem: 'the storage is not reached by the keys of a Secret', fix: 'Use StorageAccess.secret()' }];
}

function twoRoles(backup: BackupOptions | undefined): Violation[] {
  const roles = repositoriesOf(backup).flatMap(([{ storage }]) => storage.s3Options?.access.roleArn ?? []);
  return new Set(roles).size < 2 ? [] : [{
    path: ['backup', 'secondary', 'storage', 'access'], problem: 'the two repositories need two web identities, and a ServiceAccount has one',
    fix: 'Use a Secret for one of them',
  }];
}

function imageViolations(backup: BackupOptions | undefined): Violation[] {
  const problem = backup?.jobImage === undefined ? undefined : referenceProblem({ image: backup.jobImage });
  return problem ? [{ path: ['backup', 'jobImage'], problem, consequence: 'No backup would be made', fix: 'Name an image with a fixed tag or a digest' }] : [];
}

/** Since 2.58 (EKS Pod Identity, managed identities of Azure). */
function newPgBackRest(storage: BackupStorage): boolean {
  return storage.s3Options?.access.keyType === 'pod-id' || (storage.azureOptions !== undefined && storage.azureOptions.keySecret === undefined);
}

/** Of an image of somebody else's nothing is known; ours have what Debian has. */
function tooNew([{ storage }, path]: Located, own: boolean): Violation[] {
  return own && newPgBackRest(storage) ? [{
    path: [...path, 'storage'], problem: 'this identity needs pgBackRest 2.58, and the images of this project have 2.55',
    consequence: 'Nothing would be archived', fix: 'Use a Secret or a web identity, or an image of your own with a newer pgBackRest',
  }] : [];
}

export const backupStorage: PostgresRule = {
  code: 'EV1804',
  title: 'A storage that cannot be used',
  cause: 'A bucket, region, endpoint, prefix, role or the name of a Secret is malformed, or an identity asks for more than the image brings.',
  consequence: 'Members could not reach the storage: nothing would be archived, and the volumes would fill up',
  fix: 'Correct the value; the bucket and the Secrets have to exist before',
  check: ({ props: { backup, image, imageCatalog } }) => [
    ...repositoriesOf(backup).flatMap(([{ storage }, path]) => storageViolations([...path, 'storage'], storage)),
    ...repositoriesOf(backup).flatMap((located) => tooNew(located, image === undefined && imageCatalog === undefined)),
    ...twoRoles(backup),
    ...imageViolations(backup),
  ],
};

/** Spoken by the registry of an app, which knows all of its clusters. */
export const repositoryTaken: RuleText = {
  code: 'EV1805',
  title: 'Two clusters that would write to one repository',
  cause: 'Two clusters of one app, or the two repositories of a cluster, have the same bucket, prefix, namespace and name.',
  consequence: 'Each would refuse the other one\'s archive, and neither could be restored',
  fix: 'Give one of the storages another prefix',
};

/** Spoken by the reader of documents. */
export const storageUnknown: RuleText = {
  code: 'EV1807',
  title: 'A storage that nobody describes',
  cause: 'backup.storageName names a BackupStorage that is not among the documents of the call, although there are some, or two documents describe one name differently. Where no document describes any storage, the name is that of a Secret.',
  consequence: 'Nobody would know where backups go',
  fix: 'Add a document of kind BackupStorage with this name',
};

/** As PostgreSQL prints it: 64 bits without a sign. */
const SYSTEM_IDENTIFIER = /^[1-9]\d{15,19}$/;

export const bootstrapValid: PostgresRule = {
  code: 'EV1808',
  title: 'A beginning that is not possible',
  cause: 'Bootstrap.fresh() is given something else than the system identifier of a cluster, or there is no backup storage.',
  consequence: 'Members would wait for ever, or begin anew over backups that somebody needs',
  fix: 'Copy the identifier from the log of the waiting member, or leave bootstrap out',
  check: ({ props: { bootstrap, backup } }) => {
    if (bootstrap?.method !== 'fresh') return [];
    return [
      ...(backup ? [] : [{ path: ['bootstrap'], problem: 'there is no backup storage, so there is nothing to supersede', fix: 'Leave bootstrap out' }]),
      ...shaped(['bootstrap', 'superseding'], bootstrap.superseding ?? '', SYSTEM_IDENTIFIER),
    ];
  },
};
