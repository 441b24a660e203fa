import { BackupEncryption } from '../backup-encryption';
import type { BackupOptions, BackupRepository } from '../backup-options';
import { BackupRetention } from '../backup-retention';
import { BackupType, type BackupScheduleOptions } from '../backup-schedule-options';
import type { AzureStorageOptions, BackupStorage, BackupStorageOptions, GcsStorageOptions, S3StorageOptions, SecretStorageOptions } from '../backup-storage';
import type { CertificateAuthority } from '../certificate-authority';
import type { ContractSchedule, RepositoryFile, RepositorySecret } from '../contract/document';
import { backupName, backupPassName } from '../contract/names';
import { SNAPSHOTS_KEPT } from '../contract/snapshot';
import type { NetworkPeer } from '../network';
import type { StorageAccess } from '../storage-access';
import { DEFAULT_AGENT_IMAGE, DEFAULT_AGENT_RESOURCES } from './agent';
import { resolveResources, type ResolvedResources } from './groups';

/** Where backups go when nothing is said about how long they stay: two weeks of point-in-time recovery. */
const DEFAULT_RETENTION = BackupRetention.days(14);
const DEFAULT_ARCHIVE_TIMEOUT_S = 60;
/** A backup of a terabyte at 20 MB/s takes 14 hours. */
export const DEFAULT_DEADLINE_S = 24 * 3600;
const HTTPS_PORT = 443;

/** Pass of a repository's encryption. */
export interface ResolvedPass {
  readonly secret: string;
  readonly key: string;
  /** The members fill it once. */
  readonly generate: boolean;
}

export interface ResolvedRepository {
  /** 1, or 2 for the second one: pgBackRest's number. */
  readonly key: number;
  /** Options of pgBackRest without their prefix `repo1-`. */
  readonly options: Record<string, string>;
  readonly secrets: RepositorySecret[];
  readonly files: RepositoryFile[];
  readonly pass?: ResolvedPass;
  /** For people: `s3://bucket/prod/shop/orders`. */
  readonly url: string;
  /** Where it really is: two clusters with the same one would write over each other. */
  readonly identity: string;
  readonly port: number;
  readonly network: readonly NetworkPeer[];
}

export interface ResolvedBackup {
  readonly repositories: ResolvedRepository[];
  readonly archiveTimeoutSeconds: number;
  readonly processes: number;
  readonly compressionLevel: number;
  readonly jobImage: string;
}

/** A CronJob, decided. */
export interface ResolvedSchedule extends ContractSchedule {
  readonly objectName: string;
  readonly deadlineSeconds: number;
  /** Of a schedule of VolumeSnapshots. */
  readonly snapshot?: { readonly className?: string; readonly keep: number };
  readonly resources: ResolvedResources;
}

/** What differs between kinds of storage. */
type Kind = Pick<ResolvedRepository, 'options' | 'secrets' | 'files' | 'port'> & {
  readonly common: BackupStorageOptions;
  readonly host: string;
  readonly bucket: string;
};

function flag(value: boolean): string {
  return value ? 'y' : 'n';
}

/** Host and port of an endpoint such as `minio.storage.svc:9000`. */
export function endpointParts(endpoint: string): { host: string; port: number } {
  const [host = '', port] = endpoint.split(':');
  return { host, port: port === undefined ? HTTPS_PORT : Number(port) };
}

/** The keys of an access, as options of pgBackRest. */
export function s3Secrets({ secretName, secretKeys = {} }: StorageAccess): RepositorySecret[] {
  return secretName === undefined ? [] : [
    { option: 's3-key', secret: secretName, key: secretKeys.keyId ?? 'AWS_ACCESS_KEY_ID' },
    { option: 's3-key-secret', secret: secretName, key: secretKeys.secretKey ?? 'AWS_SECRET_ACCESS_KEY' },
  ];
}

function s3Files(authority: CertificateAuthority | undefined): RepositoryFile[] {
  if (!authority) return [];
  const resource = authority.resource as RepositoryFile['resource'];
  return [{ option: 'storage-ca-file', resource, name: authority.name, key: authority.key }];
}

function s3(given: S3StorageOptions): Kind {
  const { region = 'us-east-1', endpoint } = given;
  const { host, port } = endpointParts(endpoint ?? `s3.${region}.amazonaws.com`);
  return {
    common: given,
    host: `${host}:${port}`,
    bucket: given.bucket,
    port,
    options: {
      'type': 's3',
      's3-bucket': given.bucket,
      's3-endpoint': host,
      's3-region': region,
      's3-key-type': given.access.keyType,
      's3-uri-style': given.pathStyle ?? endpoint !== undefined ? 'path' : 'host',
      ...(port === HTTPS_PORT ? {} : { 'storage-port': String(port) }),
      'storage-verify-tls': flag(!given.insecureSkipTlsVerify),
    },
    secrets: s3Secrets(given.access),
    files: s3Files(given.certificateAuthority),
  };
}

function gcs(given: GcsStorageOptions): Kind {
  const { bucket, keySecret } = given;
  return {
    common: given, bucket, host: 'storage.googleapis.com', port: HTTPS_PORT,
    options: { 'type': 'gcs', 'gcs-bucket': bucket, 'gcs-key-type': keySecret === undefined ? 'auto' : 'service' },
    secrets: [],
    files: keySecret === undefined ? []
      : [{ option: 'gcs-key', resource: 'secrets', name: keySecret, key: given.keySecretKey ?? 'key.json' }],
  };
}

function azure(given: AzureStorageOptions): Kind {
  const { container, account, keySecret } = given;
  return {
    common: given, bucket: container, host: `${account}.blob.core.windows.net`, port: HTTPS_PORT,
    options: {
      'type': 'azure', 'azure-container': container, 'azure-account': account,
      'azure-key-type': keySecret === undefined ? 'auto' : 'shared',
    },
    secrets: keySecret === undefined ? []
      : [{ option: 'azure-key', secret: keySecret, key: given.keySecretKey ?? 'AZURE_STORAGE_ACCOUNT_KEY' }],
    files: [],
  };
}

/** What a Secret holds of a storage, by the option that it becomes; `member.py` fills in what is not there. */
const DESCRIBED = {
  's3-bucket': 'bucket', 's3-key': 'AWS_ACCESS_KEY_ID', 's3-key-secret': 'AWS_SECRET_ACCESS_KEY',
  's3-region': 'region', 's3-endpoint': 'endpointURL', 's3-uri-style': 'forcePathStyle', 'storage-ca-file': 'ca.crt',
} as const;
const OPTIONAL = ['s3-region', 's3-endpoint', 's3-uri-style', 'storage-ca-file'];

function described(given: SecretStorageOptions): Kind {
  const secret = given.secretName;
  return {
    common: given, host: 'secret', bucket: `{bucket of Secret ${secret}}`, port: HTTPS_PORT,
    options: { 'type': 's3', 's3-key-type': 'shared', 'storage-verify-tls': 'y' },
    secrets: Object.entries(DESCRIBED).map(([option, key]) =>
      ({ option, secret, key, ...(OPTIONAL.includes(option) ? { optional: true } : {}) })),
    files: [],
  };
}

function kindOf(storage: BackupStorage): Kind {
  if (storage.secretOptions) return described(storage.secretOptions);
  if (storage.gcsOptions) return gcs(storage.gcsOptions);
  return storage.azureOptions ? azure(storage.azureOptions) : s3(storage.s3Options!);
}

/** What all kinds of storage have in common. */
export function commonOptions(storage: BackupStorage): BackupStorageOptions {
  return storage.s3Options ?? storage.gcsOptions ?? storage.azureOptions ?? storage.secretOptions ?? {};
}

function resolvePass(cluster: string, key: number, encryption: BackupEncryption): ResolvedPass | undefined {
  if (encryption.mode === BackupEncryption.unencrypted().mode) return undefined;
  return encryption.secretName === undefined
    ? { secret: backupPassName(cluster), key: `repository-${key}`, generate: true }
    : { secret: encryption.secretName, key: encryption.key!, generate: false };
}

/** Path of a cluster's repository in the bucket. */
function repositoryPath({ prefix }: BackupStorageOptions, namespace: string, cluster: string): string {
  return ['', ...(prefix === undefined ? [] : [prefix]), namespace, cluster].join('/');
}

/** Whose repository. */
interface Place {
  readonly name: string;
  readonly namespace: string;
}

/** One repository, decided: where it is, and what pgBackRest has to be told. */
export function resolveRepository({ name, namespace }: Place, key: number,
  given: BackupRepository): ResolvedRepository {
  const { common, host, bucket, options, secrets, files, port } = kindOf(given.storage);
  const pass = resolvePass(name, key, common.encryption ?? BackupEncryption.generated());
  const path = repositoryPath(common, namespace, name);
  const { type, amount } = given.retention ?? DEFAULT_RETENTION;
  return {
    key, secrets, files, pass, port,
    options: {
      ...options,
      path,
      'cipher-type': pass ? 'aes-256-cbc' : 'none',
      'retention-full-type': type,
      'retention-full': String(amount),
      // Small files together: fewer requests. Not with `block`, which makes a restore ask for each file alone (ADR 26).
      'bundle': 'y',
    },
    url: `${options.type}://${bucket}${path}`,
    identity: `${options.type}://${host}/${bucket}${path}`,
    network: common.network ?? [],
  };
}

/** A web identity is the ServiceAccount's. */
export function accountAnnotations(storages: readonly BackupStorage[]): Record<string, string> {
  const role = storages.map(({ s3Options }) => s3Options?.access.roleArn).find((arn) => arn !== undefined);
  return role === undefined ? {} : { 'eks.amazonaws.com/role-arn': role };
}

/** Storage and archive of a cluster, decided. */
export function resolveBackup(name: string, namespace: string, given: BackupOptions): ResolvedBackup {
  const repositories: BackupRepository[] = [given, ...(given.secondary ? [given.secondary] : [])];
  return {
    repositories: repositories.map((each, index) => resolveRepository({ name, namespace }, index + 1, each)),
    archiveTimeoutSeconds: given.archiveTimeout?.toSeconds({ integral: false }) ?? DEFAULT_ARCHIVE_TIMEOUT_S,
    processes: given.processes ?? 2,
    compressionLevel: given.compressionLevel ?? 3,
    jobImage: given.jobImage ?? DEFAULT_AGENT_IMAGE,
  };
}

function snapshotsOf({ snapshot }: BackupType): ResolvedSchedule['snapshot'] {
  return snapshot && { className: snapshot.className, keep: snapshot.keep ?? SNAPSHOTS_KEPT };
}

/** A schedule, decided. */
export function resolveSchedule(cluster: string, given: BackupScheduleOptions): ResolvedSchedule {
  const { type = BackupType.full() } = given;
  return {
    name: given.name,
    objectName: `${backupName(cluster)}-${given.name}`,
    type: type.type as ContractSchedule['type'],
    cron: given.cron,
    timeZone: given.timeZone ?? 'Etc/UTC',
    suspended: given.suspend ?? false,
    repository: given.toSecondary ? 2 : 1,
    snapshot: snapshotsOf(type),
    // For pgBackRest: from a standby, it needs a server of its own on each member, which there is not.
    target: type.snapshot ? 'standby' : 'primary',
    deadlineSeconds: given.deadline?.toSeconds({ integral: false }) ?? DEFAULT_DEADLINE_S,
    resources: resolveResources(given.resources ?? DEFAULT_AGENT_RESOURCES),
  };
}
