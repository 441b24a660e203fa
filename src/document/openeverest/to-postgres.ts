import { backupRenames, storageNames, storagePath, toArchiveTimeout, toRetention, toSchedules, type Storages } from './backup';
import { lineFindings, linePath, readIni, readPostgresConfig, type ConfigLines, type Setting } from './config-lines';
import type { SchedulingPolicy } from './placement';
import { commonRenames, DEFAULT_REPLICAS, renamed, toResources } from './resources';
import type { OpenEverestCluster, OpenEverestSpec } from './shape';
import type { BackupOptions, BackupRepository } from '../../backup-options';
import type { Finding } from '../../errors';
import { PoolMode, type PoolerOptions } from '../../pooler';
import type { PostgresClusterProps } from '../../postgres-cluster-props';
import { findingOf } from '../../rules/run';
import { SHAPE_TEXTS } from '../../rules/shape-texts';
import { present } from '../present';

/* An OpenEverest document with the engine postgresql in the props of PostgresCluster and its pooler. */

type Path = Array<string | number>;

/** Where backups go, and how long each storage keeps them. */
function toRepositories(spec: OpenEverestSpec, storages: Storages): BackupRepository[] {
  return storageNames(spec).map((name) => {
    const schedule = (spec.backup?.schedules ?? []).find(({ backupStorageName }) => backupStorageName === name);
    return { storage: storages.get(name)!, retention: toRetention(schedule?.retentionCopies) };
  });
}

function toBackup(spec: OpenEverestSpec, storages: Storages): BackupOptions | undefined {
  const [repository, secondary] = toRepositories(spec, storages);
  if (!repository) return undefined;
  return present({ ...repository, secondary, schedules: toSchedules(spec), archiveTimeout: toArchiveTimeout(spec) });
}

function engineConfig({ engine }: OpenEverestSpec): ConfigLines {
  return readPostgresConfig(engine.config ?? '');
}

function poolerConfig({ proxy }: OpenEverestSpec): ConfigLines {
  return readIni(proxy?.config ?? '');
}

/** Settings of pgbouncer.ini that have an option. */
const POOLER_SETTINGS = ['pool_mode', 'default_pool_size', 'max_client_conn'] as const;

function poolerValue(settings: readonly Setting[], name: typeof POOLER_SETTINGS[number]): string | undefined {
  return settings.find((setting) => setting.name === name)?.value;
}

function whole(value: string | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/** PgBouncer's own default is a session's, and clients that come from there may count on it. */
function toPooler(spec: OpenEverestSpec, policy: SchedulingPolicy | undefined): PoolerOptions {
  const { settings } = poolerConfig(spec);
  const { proxy, engine } = spec;
  return present({
    instances: proxy?.replicas ?? engine.replicas ?? DEFAULT_REPLICAS,
    poolMode: poolerValue(settings, 'pool_mode') === 'transaction' ? PoolMode.transaction() : PoolMode.session(),
    poolSize: whole(poolerValue(settings, 'default_pool_size')),
    maxClientConnections: whole(poolerValue(settings, 'max_client_conn')),
    resources: toResources(proxy?.resources),
    placement: policy?.proxy,
  });
}

function poolerFindings(lines: ConfigLines): Finding[] {
  const known: readonly string[] = POOLER_SETTINGS;
  const others = lines.settings.filter(({ name, section }) => !known.includes(name) || (section ?? 'pgbouncer') !== 'pgbouncer');
  const wrong = lines.settings.filter(({ name, value }) =>
    (name === 'pool_mode' ? !/^(session|transaction)$/.test(value) : known.includes(name) && !/^\d{1,9}$/.test(value)));
  return [
    ...others.map((setting) => findingOf(SHAPE_TEXTS.noCounterpart, {
      path: linePath('proxy', setting), problem: `${setting.section === undefined ? '' : `[${setting.section}] `}${setting.name} cannot be set on a pooler`,
      fix: `Leave it out; there are ${known.join(', ')}`,
    })),
    ...wrong.map((setting) => findingOf(SHAPE_TEXTS.wrongChoice, {
      path: linePath('proxy', setting), problem: `${setting.name} is ${JSON.stringify(setting.value)}`,
      fix: 'pool_mode is session or transaction, the others are whole numbers',
    })),
  ];
}

function thirdStorage(spec: OpenEverestSpec): Finding[] {
  const third = storageNames(spec)[2];
  return third === undefined ? [] : [findingOf(SHAPE_TEXTS.noCounterpart, {
    path: storagePath(spec, third), problem: `${third} is a third storage, and a cluster has two repositories at the most`,
    fix: 'Use two storages',
  })];
}

/** What has no counterpart in the props, and lines that cannot be read. */
export function checkForPostgres(spec: OpenEverestSpec): Finding[] {
  return [
    ...lineFindings('engine', engineConfig(spec)), ...lineFindings('proxy', poolerConfig(spec)),
    ...poolerFindings(poolerConfig(spec)), ...thirdStorage(spec),
  ];
}

/** Props of the cluster, and options of the pooler that OpenEverest always puts in front of one. */
export interface PostgresParts {
  readonly props: PostgresClusterProps;
  readonly pooler: PoolerOptions;
}

/** A document in which nothing is refused. */
export function toPostgres({ metadata, spec }: OpenEverestCluster, storages: Storages,
  policy: SchedulingPolicy | undefined): PostgresParts {
  const { settings } = engineConfig(spec);
  const { size, class: storageClassName } = spec.engine.storage;
  const props = present({
    clusterName: metadata.name,
    namespace: metadata.namespace,
    labels: metadata.labels,
    annotations: metadata.annotations,
    version: spec.engine.version || undefined,
    instances: spec.engine.replicas ?? DEFAULT_REPLICAS,
    storage: present({ size: String(size), storageClassName: storageClassName || undefined }),
    resources: toResources(spec.engine.resources),
    parameters: settings.length === 0 ? undefined
      : Object.fromEntries(settings.map(({ name, value }) => [name, value])),
    backup: toBackup(spec, storages),
    placement: policy?.engine,
  });
  return { props, pooler: toPooler(spec, policy) };
}

function renames(spec: OpenEverestSpec): Array<[Path, Path]> {
  const settings = engineConfig(spec).settings.map((setting): [Path, Path] => [['parameters', setting.name], linePath('engine', setting)]);
  const pool = poolerConfig(spec).settings;
  const pooler = ([['poolMode', 'pool_mode'], ['poolSize', 'default_pool_size'], ['maxClientConnections', 'max_client_conn']] as const)
    .map(([option, name]): [Path, Path] => {
      const found = pool.find((setting) => setting.name === name);
      return [['pooler', option], found ? linePath('proxy', found) : ['spec', 'proxy']];
    });
  const instances = spec.proxy?.replicas === undefined ? ['spec', 'engine', 'replicas'] : ['spec', 'proxy', 'replicas'];
  return [
    ...settings, ...pooler, ...backupRenames(spec),
    [['pooler', 'instances'], instances],
    [['pooler', 'placement'], ['spec', 'podSchedulingPolicyName']],
    [['pooler'], ['spec', 'proxy']],
    ...commonRenames(spec),
  ];
}

/** The path of a prop in the words of the document. */
export function toOpenEverestPath(spec: OpenEverestSpec, path: Path): Path {
  return renamed(renames(spec), path);
}
