import type { BackupStorage } from '../backup-storage';
import type { DeclaredDatabase, DeclaredRole } from '../contract/declared-sql';
import type { PatroniDynamicConfiguration, Replacement } from '../contract/document';
import { credentialsName, primaryServiceName } from '../contract/names';
import { ImageCatalog, type PostgresImage } from '../image-catalog';
import type { PatroniTiming } from '../patroni-timing';
import { PodDisruption } from '../pod-disruption';
import type { PostgresClusterProps } from '../postgres-cluster-props';
import { Protection } from '../protection';
import { GIB, MIB, parsePostgresSize, parseQuantity } from '../quantity';
import { Replication } from '../replication';
import { accountAnnotations, resolveBackup, type ResolvedBackup, type ResolvedRepository } from './backup';
import { resolveGroups, smallestMember, type ResolvedGroup } from './groups';
import type { ClusterIdentity } from './identity';
import { resolveParameters } from './parameters';
import { resolveRecovery, resolveReplacement, type ResolvedRecovery } from './recovery';
import { resolveDatabases, resolveOwners, resolveRoles, type ResolvedOwner } from './roles';
import { resolveStandby, standbyConfiguration, type ResolvedStandby } from './standby';

/** Roles of the cluster itself. */
export const SYSTEM_ROLES = { superuser: 'postgres', replication: 'everest_replication', rewind: 'everest_rewind' } as const;
/** Role that looks up other roles' password hashes for poolers, and may do nothing else. */
export const POOLER_ROLE = 'everest_pooler';
/**
 * Role of the agent, a superuser: it keeps databases and roles as declared, which nobody else may do for all owners.
 * Without an agent it cannot log in.
 */
export const AGENT_ROLE = 'everest_agent';
/** Key of the cluster's credentials that holds the agent's password. */
export const AGENT_KEY = 'agent';
/** Key of the cluster's credentials that holds the pooler's password. */
export const POOLER_KEY = 'pooler';
/** Key of the cluster's credentials that holds PgBouncer's auth_file. */
export const POOLER_USERLIST_KEY = 'pooler-userlist';
/** Oldest Kubernetes version that the manifests fit. */
export const OLDEST_KUBERNETES = '1.27';

const DEFAULT_UID = 10026;
const DEFAULT_TINI = '/usr/bin/tini';

export interface ResolvedImage {
  readonly reference: string;
  readonly version: string;
  readonly major: string;
  readonly uid: number;
  readonly binDirectory: string;
  readonly tini: string;
}

/** Where External Secrets finds the passwords. */
export interface ResolvedExternalCredentials {
  readonly store: string;
  readonly kind: 'SecretStore' | 'ClusterSecretStore';
  readonly keyPrefix: string;
  readonly refreshSeconds: number;
}

/** Everything about a cluster, decided: what parts and renderers read. Holds no construct. */
export interface ResolvedPostgres extends ClusterIdentity {
  readonly serviceAnnotations: Record<string, string>;
  readonly replicaServiceAnnotations: Record<string, string>;
  readonly image: ResolvedImage;
  readonly imagePullSecrets: string[];
  readonly groups: ResolvedGroup[];
  readonly memberCount: number;
  readonly patroni: PatroniDynamicConfiguration;
  readonly credentialsSecret: string;
  readonly generatesCredentials: boolean;
  /** Where External Secrets fills the Secrets. */
  readonly external?: ResolvedExternalCredentials;
  readonly databases: DeclaredDatabase[];
  /** What members make when the cluster is made. */
  readonly owners: ResolvedOwner[];
  /** What the agent keeps: owners and others. */
  readonly roles: DeclaredRole[];
  readonly host: string;
  /** Name of the agent that looks after the cluster. */
  readonly agent?: string;
  readonly disruption?: number;
  readonly preferSameZoneReads: boolean;
  readonly preferAvailability: boolean;
  readonly terminationGraceSeconds: number;
  readonly sharedMemoryBytes: number;
  /** None: nothing is archived. */
  readonly backup?: ResolvedBackup;
  /** The cluster that this one follows; none: it leads, or nobody says. */
  readonly standby?: ResolvedStandby;
  /** System identifier of the cluster whose backups a new one may supersede. */
  readonly superseding?: string;
  /** Where the first data come from, if not from nothing. */
  readonly recovery?: ResolvedRecovery;
  readonly replacement?: Replacement;
  /** Annotations of the members' ServiceAccount. */
  readonly accountAnnotations: Record<string, string>;
}

/** Repositories that members read or write. */
export function repositoriesOf({ backup, recovery, standby }: ResolvedPostgres): ResolvedRepository[] {
  const read = [recovery?.repository, standby?.repository].filter((repository) => repository !== undefined);
  return [...backup?.repositories ?? [], ...read];
}

/** The image that was given, or the catalog's for the version; undefined where there is none. */
export function pickImage(props: PostgresClusterProps): PostgresImage | undefined {
  if (props.image) return props.image;
  const catalog = props.imageCatalog ?? ImageCatalog.standard();
  return catalog.find(props.version ?? catalog.versions().pop() ?? '');
}

function resolveImage(image: PostgresImage): ResolvedImage {
  const major = image.version.split('.')[0]!;
  return {
    reference: image.digest ? `${image.image}@${image.digest}` : image.image,
    version: image.version,
    major,
    uid: image.uid ?? DEFAULT_UID,
    binDirectory: image.binDirectory ?? `/usr/lib/postgresql/${major}/bin`,
    tini: image.tini ?? DEFAULT_TINI,
  };
}

/** One standby confirms each commit wherever there is one: acknowledged data outlives any single member. */
export function resolveReplication(replication: Replication | undefined, promotable: number): Replication {
  if (replication) return replication;
  if (promotable <= 1) return Replication.asynchronous();
  return promotable % 2 === 1 ? Replication.quorum() : Replication.synchronous();
}

/** The lease in seconds, with Patroni's own defaults. */
export function resolveTiming(timing: PatroniTiming = {}): { ttl: number; loopWait: number; retryTimeout: number } {
  return {
    ttl: timing.ttl?.toSeconds({ integral: false }) ?? 30,
    loopWait: timing.loopWait?.toSeconds({ integral: false }) ?? 10,
    retryTimeout: timing.retryTimeout?.toSeconds({ integral: false }) ?? 10,
  };
}

/** First the lines that the cluster itself needs: peers by name, the superuser only from inside the Pod. */
function resolvePgHba(clientLines: string[] | undefined, hasAgent: boolean): string[] {
  const { superuser, replication, rewind } = SYSTEM_ROLES;
  return [
    `local all ${superuser} peer`,
    `local replication ${replication} peer map=patroni`,
    'local all all scram-sha-256',
    `host all ${superuser} all reject`,
    `host replication ${replication} all scram-sha-256`,
    `host postgres ${rewind} all scram-sha-256`,
    `host all ${rewind} all reject`,
    `host all ${replication} all reject`,
    `host all ${AGENT_ROLE} all ${hasAgent ? 'scram-sha-256' : 'reject'}`,
    ...(clientLines ?? ['host all all all scram-sha-256']),
  ];
}

/** Where members have it (render/files.ts). */
const ARCHIVE_SCRIPT = '/etc/everest/pgbackrest.sh';

const SYNCHRONOUS_MODE = { asynchronous: false, synchronous: true, quorum: 'quorum' } as const;

function resolvePatroni(props: PostgresClusterProps, image: ResolvedImage, groups: ResolvedGroup[],
  backup?: ResolvedBackup): PatroniDynamicConfiguration {
  const promotable = groups.filter((group) => group.promotable);
  const replication = resolveReplication(props.replication, promotable.flatMap((group) => group.members).length);
  const timing = resolveTiming(props.timing);
  const members = groups.flatMap((group) => group.members).length;
  return {
    ttl: timing.ttl,
    loop_wait: timing.loopWait,
    retry_timeout: timing.retryTimeout,
    maximum_lag_on_failover: Math.floor(parseQuantity(replication.maximumLagOnFailover ?? '1Mi') ?? MIB),
    // A member with a longer, but older history must not be elected.
    check_timeline: true,
    failsafe_mode: true,
    synchronous_mode: SYNCHRONOUS_MODE[replication.mode as keyof typeof SYNCHRONOUS_MODE],
    synchronous_mode_strict: replication.strict,
    synchronous_node_count: Math.max(1, replication.standbys),
    ...standbyConfiguration(props.standby, ARCHIVE_SCRIPT),
    postgresql: {
      use_pg_rewind: true,
      use_slots: true,
      parameters: resolveParameters({
        ...smallestMember(groups), members,
        major: Number(image.major), archiveTimeoutSeconds: backup?.archiveTimeoutSeconds,
      }, props.parameters),
      pg_hba: resolvePgHba(props.pgHba, props.agent !== undefined),
      // Patroni runs as the superuser's system user and looks at replication as the replication role.
      pg_ident: [`patroni ${SYSTEM_ROLES.superuser} ${SYSTEM_ROLES.replication}`],
    },
  };
}

function resolveExternal(name: string, namespace: string,
  { credentials }: PostgresClusterProps): ResolvedExternalCredentials | undefined {
  const external = credentials?.externalStore;
  return external && {
    store: external.store,
    kind: external.clusterStore ? 'ClusterSecretStore' : 'SecretStore',
    keyPrefix: external.keyPrefix ?? `${namespace}/${name}`,
    refreshSeconds: external.refreshInterval?.toSeconds() ?? 3600,
  };
}

/** Databases and roles, and where their passwords are. */
function resolveSql(name: string, namespace: string, props: PostgresClusterProps): Pick<ResolvedPostgres,
  'host' | 'credentialsSecret' | 'generatesCredentials' | 'external' | 'databases' | 'owners' | 'roles'> {
  const host = `${primaryServiceName(name)}.${namespace}.svc`;
  return {
    host,
    credentialsSecret: props.credentials?.secretName ?? credentialsName(name),
    generatesCredentials: props.credentials?.generates ?? true,
    external: resolveExternal(name, namespace, props),
    databases: resolveDatabases(props),
    owners: resolveOwners(name, props),
    roles: resolveRoles(name, host, props),
  };
}

/** Members of the same cluster that planned work may take away; nothing to protect with one member. */
function resolveDisruption(disruption: PodDisruption | undefined, members: number): number | undefined {
  if (disruption) return disruption.members;
  return members > 1 ? 1 : undefined;
}

/** What a primary may take to hand over before it stops (member.py hand-over). */
const HAND_OVER_SECONDS = 20;

/**
 * Time for a fast shutdown: its checkpoint writes at most all shared buffers (50 MB/s on a slow network disk), then the
 * last write-ahead log goes to the standbys.
 */
function graceSeconds(sharedBuffers: number): number {
  return HAND_OVER_SECONDS + 60 + Math.ceil(sharedBuffers / (50 * 1000 * 1000));
}

/**
 * PostgreSQL's parallel workers share memory through /dev/shm; an eighth of the memory, at least what one query needs.
 */
function sharedMemoryBytes(memoryBytes: number): number {
  return Math.max(64 * MIB, Math.min(Math.floor(memoryBytes / 8 / MIB) * MIB, 8 * GIB));
}

/** What is passed on as it was given, or is empty. */
function passedOn(props: PostgresClusterProps): Pick<ResolvedPostgres,
  'labels' | 'annotations' | 'serviceAnnotations' | 'replicaServiceAnnotations' | 'imagePullSecrets' | 'preferSameZoneReads' | 'preferAvailability' | 'agent'> {
  return {
    labels: props.labels ?? {},
    annotations: props.annotations ?? {},
    serviceAnnotations: props.serviceAnnotations ?? {},
    replicaServiceAnnotations: props.replicaServiceAnnotations ?? {},
    imagePullSecrets: props.imagePullSecrets ?? [],
    preferSameZoneReads: props.preferSameZoneReads ?? false,
    preferAvailability: props.replication?.preferAvailability ?? false,
    agent: props.agent?.agentName,
  };
}

/** Every storage that members log in to. */
export function storagesOf({ backup, bootstrap, standby }: PostgresClusterProps): BackupStorage[] {
  const given = [
    backup?.storage, backup?.secondary?.storage, bootstrap?.recovery?.from.backupStorage,
    standby?.options?.from?.backupStorage,
  ];
  return given.filter((storage) => storage !== undefined);
}

/** The cluster, decided. The props must have passed all rules. */
export function resolvePostgres(name: string, namespace: string, props: PostgresClusterProps): ResolvedPostgres {
  const groups = resolveGroups(name, props);
  const memberCount = groups.flatMap((group) => group.members).length;
  const backup = props.backup && resolveBackup(name, namespace, props.backup);
  const image = resolveImage(pickImage(props)!);
  const patroni = resolvePatroni(props, image, groups, backup);
  const sharedBuffers = parsePostgresSize(patroni.postgresql.parameters.shared_buffers!, 8192) ?? 0;
  return {
    ...passedOn(props),
    ...resolveSql(name, namespace, props),
    engine: 'postgresql',
    name,
    namespace,
    groups,
    memberCount,
    patroni,
    backup,
    standby: resolveStandby(namespace, props.standby),
    superseding: props.bootstrap?.superseding,
    recovery: resolveRecovery(namespace, props.bootstrap),
    replacement: resolveReplacement(props.bootstrap),
    accountAnnotations: accountAnnotations(storagesOf(props)),
    image,
    disruption: resolveDisruption(props.podDisruption, memberCount),
    retainsData: (props.protection ?? Protection.retain()).retainsData,
    terminationGraceSeconds: graceSeconds(sharedBuffers),
    sharedMemoryBytes: sharedMemoryBytes(smallestMember(groups).memoryBytes),
  };
}
