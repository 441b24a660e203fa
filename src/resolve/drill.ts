import type { DrillNeed, DrillQuestion, DrillTargetName } from '../contract/drill';
import { drillName } from '../contract/names';
import { MIB, parseQuantity } from '../quantity';
import { DrillTarget, type RestoreDrillOptions } from '../restore-drill-options';
import type { StorageAccess } from '../storage-access';
import { DEFAULT_DEADLINE_S, s3Secrets, type ResolvedBackup, type ResolvedRepository } from './backup';
import { resolveResources, type ResolvedGroup, type ResolvedResources } from './groups';
import type { ResolvedPostgres } from './postgres';

/** What the status calls the drill that has no name. */
export const DEFAULT_DRILL = 'default';
const DEFAULT_RESOURCES = { requests: { cpu: '250m', memory: '512Mi' }, limits: { memory: '1Gi' } };
/** Less than that PostgreSQL would take by itself (128 MiB) is given to no server with a memory limit of its own. */
const LEAST_BUFFERS_MIB = 16;

/** A drill, decided. */
export interface ResolvedDrill {
  readonly name: string;
  readonly objectName: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly suspended: boolean;
  readonly target: DrillTargetName;
  readonly checks: DrillQuestion[];
  /** Key of the repository. */
  readonly repository: number;
  readonly storage: string;
  readonly needs: DrillNeed[];
  /** Options of pgBackRest that differ from the members'. */
  readonly environment: Record<string, string>;
  readonly volumeSize: string;
  readonly storageClassName?: string;
  readonly resources: ResolvedResources;
  readonly sharedBuffersMiB: number;
  readonly deadlineSeconds: number;
}

/** pgBackRest reads its options from variables too. */
function variable(key: number, option: string): string {
  return `PGBACKREST_REPO${key}_${option.replace(/-/g, '_').toUpperCase()}`;
}

function needsOf({ key, secrets, files, pass }: ResolvedRepository, access?: StorageAccess): DrillNeed[] {
  const keys = access ? s3Secrets(access) : secrets;
  return [
    ...keys.map(({ option, secret, key: name }) => ({ environment: variable(key, option), object: `Secret ${secret}`, key: name })),
    ...(pass ? [{ environment: variable(key, 'cipher-pass'), object: `Secret ${pass.secret}`, key: pass.key }] : []),
    ...files.map(({ option, resource, name, key: item }) =>
      ({ file: `repo${key}-${option}`, object: `${resource === 'secrets' ? 'Secret' : 'ConfigMap'} ${name}`, key: item })),
  ];
}

/** pgBackRest wants the options of all repositories, whichever it reads. */
function accessOf({ repositories }: ResolvedBackup, repository: number, access?: StorageAccess): Pick<ResolvedDrill, 'needs' | 'environment'> {
  return {
    needs: repositories.flatMap((each) => needsOf(each, each.key === repository ? access : undefined)),
    environment: {
      PGBACKREST_REPO: String(repository),
      ...(access ? { [variable(repository, 's3-key-type')]: access.keyType } : {}),
    },
  };
}

function bytes({ storage }: ResolvedGroup): number {
  return (parseQuantity(storage.size) ?? 0) + (parseQuantity(storage.walSize ?? '0') ?? 0);
}

/** Room for what the largest member has. */
function volumeOf({ groups }: ResolvedPostgres, given: RestoreDrillOptions): Pick<ResolvedDrill, 'volumeSize' | 'storageClassName'> {
  const largest = [...groups].sort((one, two) => bytes(two) - bytes(one))[0]!;
  const { size, walSize, storageClassName } = largest.storage;
  const sum = walSize === undefined ? size : `${Math.ceil(bytes(largest) / MIB)}Mi`;
  return { volumeSize: given.storageSize ?? sum, storageClassName: given.storageClassName ?? storageClassName };
}

/** Name, object and deadline of a drill: what rules look at. */
export function drillNames(cluster: string, given: RestoreDrillOptions): Pick<ResolvedDrill, 'name' | 'objectName' | 'deadlineSeconds'> {
  return {
    name: given.name ?? DEFAULT_DRILL,
    objectName: drillName(cluster, given.name),
    deadlineSeconds: given.deadline?.toSeconds({ integral: false }) ?? DEFAULT_DEADLINE_S,
  };
}

/** A drill, decided. */
export function resolveDrill(cluster: ResolvedPostgres, given: RestoreDrillOptions): ResolvedDrill {
  const backup = cluster.backup!;
  const repository = given.fromSecondary ? 2 : 1;
  const resources = resolveResources(given.resources ?? DEFAULT_RESOURCES);
  const memory = (parseQuantity(resources.limits.memory) ?? 0) / MIB;
  const database = cluster.databases[0]?.name ?? 'postgres';
  return {
    ...drillNames(cluster.name, given),
    ...accessOf(backup, repository, given.access),
    ...volumeOf(cluster, given),
    cron: given.cron,
    timeZone: given.timeZone ?? 'Etc/UTC',
    suspended: given.suspend ?? false,
    target: (given.target ?? DrillTarget.newest()).type as DrillTargetName,
    checks: (given.checks ?? []).map(({ name, sql, database: asked }) => ({ name, database: asked ?? database, sql })),
    repository,
    storage: backup.repositories.find(({ key }) => key === repository)!.url,
    resources,
    sharedBuffersMiB: Math.max(LEAST_BUFFERS_MIB, Math.floor(memory / 4)),
  };
}
