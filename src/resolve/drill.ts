import type { DrillNeed, DrillQuestion, DrillTargetName } from '../contract/drill';
import { drillName } from '../contract/names';
import { MIB, parseQuantity } from '../quantity';
import { DrillTarget, type RestoreDrillOptions } from '../restore-drill-options';
import type { StorageAccess } from '../storage-access';
import { DEFAULT_DEADLINE_S, s3Secrets, type ResolvedBackup, type ResolvedRepository } from './backup';
import { resolveResources, type ResolvedGroup, type ResolvedResources } from './groups';

/** What the status calls the drill that has no name. */
export const DEFAULT_DRILL = 'default';
const DEFAULT_RESOURCES = { requests: { cpu: '250m', memory: '512Mi' }, limits: { memory: '1Gi' } };
/** Less than servers take by themselves (128 MiB) is given to none with a memory limit of its own. */
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
  readonly volumeSize: string;
  readonly storageClassName?: string;
  readonly resources: ResolvedResources;
  /** For pages of the database: a quarter of the memory. */
  readonly buffersMiB: number;
  readonly deadlineSeconds: number;
}

function bytes({ storage }: ResolvedGroup): number {
  return (parseQuantity(storage.size) ?? 0) + (parseQuantity(storage.walSize ?? '0') ?? 0);
}

/** What a drill has to know of a cluster of any engine. */
export interface Drilled {
  readonly name: string;
  readonly backup?: ResolvedBackup;
  readonly groups: readonly ResolvedGroup[];
  /** Asked by checks that name none. */
  readonly database: string;
}

/** Room for what the largest member has. */
function volumeOf({ groups }: Drilled, given: RestoreDrillOptions): Pick<ResolvedDrill, 'volumeSize' | 'storageClassName'> {
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

/** What the storage of a repository needs; with keys of the drill's own in the place of the storage's. */
export function drillNeeds(repository: ResolvedRepository, prefix: string, access?: StorageAccess): DrillNeed[] {
  const { secrets, files, pass } = repository;
  const variable = (option: string) => `${prefix}${option.replace(/-/g, '_').toUpperCase()}`;
  const need = (option: string, secret: string, key: string): DrillNeed =>
    ({ option, environment: variable(option), object: `Secret ${secret}`, key });
  const keys = access ? s3Secrets(access) : secrets;
  return [
    ...keys.map(({ option, secret, key }) => need(option, secret, key)),
    ...(pass ? [need('cipher-pass', pass.secret, pass.key)] : []),
    ...files.map(({ option, resource, name, key }) => {
      const object = `${resource === 'secrets' ? 'Secret' : 'ConfigMap'} ${name}`;
      return { option, file: `repo${repository.key}-${option}`, object, key };
    }),
  ];
}

/** A drill, decided but for what its engine needs to read the storage. */
export function resolveDrill(cluster: Drilled, given: RestoreDrillOptions): Omit<ResolvedDrill, 'needs'> {
  const repository = given.fromSecondary ? 2 : 1;
  const resources = resolveResources(given.resources ?? DEFAULT_RESOURCES);
  const memory = (parseQuantity(resources.limits.memory) ?? 0) / MIB;
  return {
    ...drillNames(cluster.name, given),
    ...volumeOf(cluster, given),
    cron: given.cron,
    timeZone: given.timeZone ?? 'Etc/UTC',
    suspended: given.suspend ?? false,
    target: (given.target ?? DrillTarget.newest()).type as DrillTargetName,
    checks: (given.checks ?? [])
      .map(({ name, sql, database = cluster.database }) => ({ name, database, sql })),
    repository,
    storage: cluster.backup!.repositories.find(({ key }) => key === repository)!.url,
    resources,
    buffersMiB: Math.max(LEAST_BUFFERS_MIB, Math.floor(memory / 4)),
  };
}
