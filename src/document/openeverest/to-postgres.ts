import { Duration } from 'cdk8s';
import { readIni, readPostgresConfig, type ConfigLines, type Setting } from './config-lines';
import type { SchedulingPolicy } from './placement';
import type { OpenEverestCluster, OpenEverestResources, OpenEverestSpec } from './shape';
import type { BackupOptions, BackupRepository } from '../../backup-options';
import { BackupRetention } from '../../backup-retention';
import type { BackupScheduleOptions } from '../../backup-schedule-options';
import type { BackupStorage } from '../../backup-storage';
import type { Finding } from '../../errors';
import { PoolMode, type PoolerOptions } from '../../pooler';
import type { PostgresClusterProps } from '../../postgres-cluster-props';
import type { Resources } from '../../resources';
import { findingOf } from '../../rules/run';
import { SHAPE_TEXTS } from '../../rules/shape-texts';
import { present } from '../present';

/* An OpenEverest document with the engine postgresql in the props of PostgresCluster and its pooler. */

type Path = Array<string | number>;
type Storages = ReadonlyMap<string, BackupStorage>;

/** OpenEverest's own default. */
const DEFAULT_REPLICAS = 3;
/** `retentionCopies: 0` keeps all; pgBackRest wants a number, and this is the largest one that is taken. */
const KEEP_ALL = 9999;

type Amounts = OpenEverestResources['limits'];

/** In Kubernetes, and so in OpenEverest, what is not requested is requested as it is limited. */
export function toResources(given: OpenEverestResources | undefined): Resources | undefined {
  if (!given) return undefined;
  const text = (value: string | number | undefined) => (value === undefined ? undefined : String(value));
  const limits = { cpu: text(given.limits?.cpu ?? given.cpu), memory: text(given.limits?.memory ?? given.memory) };
  const amounts = (one: Amounts, other: Amounts) => present({
    cpu: text(one?.cpu ?? other?.cpu), memory: text(one?.memory ?? other?.memory),
  });
  return { requests: amounts(given.requests, limits), limits: amounts(limits, undefined) };
}

/** Storages in the order in which they are named, each once. */
export function storageNames({ backup }: OpenEverestSpec): string[] {
  const pitr = backup?.pitr?.enabled && backup.pitr.backupStorageName ? [backup.pitr.backupStorageName] : [];
  return [...new Set([...(backup?.schedules ?? []).map(({ backupStorageName }) => backupStorageName), ...pitr])];
}

function toRetention(copies: number | undefined): BackupRetention {
  return BackupRetention.fullBackups(copies === undefined || copies === 0 ? KEEP_ALL : copies);
}

/** Schedules in the words of this library. */
export function toSchedules(spec: OpenEverestSpec): BackupScheduleOptions[] {
  const [first] = storageNames(spec);
  return (spec.backup?.schedules ?? []).map(({ name, schedule, enabled, backupStorageName }) => present({
    name,
    cron: schedule,
    suspend: enabled ? undefined : true,
    toSecondary: backupStorageName === first ? undefined : true,
  }));
}

/** Where backups go, and how long each storage keeps them. */
export function toRepositories(spec: OpenEverestSpec, storages: Storages): BackupRepository[] {
  return storageNames(spec).map((name) => {
    const schedule = (spec.backup?.schedules ?? []).find(({ backupStorageName }) => backupStorageName === name);
    return { storage: storages.get(name)!, retention: toRetention(schedule?.retentionCopies) };
  });
}

function toBackup(spec: OpenEverestSpec, storages: Storages): BackupOptions | undefined {
  const [repository, secondary] = toRepositories(spec, storages);
  if (!repository) return undefined;
  const { enabled, uploadIntervalSec } = spec.backup?.pitr ?? {};
  return present({
    ...repository, secondary,
    schedules: toSchedules(spec),
    archiveTimeout: enabled && uploadIntervalSec !== undefined ? Duration.millis(uploadIntervalSec * 1000) : undefined,
  });
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

function line(field: 'engine' | 'proxy', { line: number }: { readonly line: number }): Path {
  return ['spec', field, 'config', number];
}

function unreadable(field: 'engine' | 'proxy', { unreadable: lines, settings }: ConfigLines): Finding[] {
  const twice = settings.filter(({ name, section }, index) =>
    settings.some((other, before) => before < index && other.name === name && other.section === section));
  return [
    ...lines.map((bad) => findingOf(SHAPE_TEXTS.openEverest, {
      path: line(field, bad), problem: `the line ${JSON.stringify(bad.text.slice(0, 80))} is no setting`, fix: 'Write name = value',
    })),
    ...twice.map((setting) => findingOf(SHAPE_TEXTS.openEverest, {
      path: line(field, setting), problem: `${setting.name} stands twice`, fix: 'Keep one of the lines',
    })),
  ];
}

function poolerFindings(lines: ConfigLines): Finding[] {
  const known: readonly string[] = POOLER_SETTINGS;
  const others = lines.settings.filter(({ name, section }) => !known.includes(name) || (section ?? 'pgbouncer') !== 'pgbouncer');
  const wrong = lines.settings.filter(({ name, value }) =>
    (name === 'pool_mode' ? !/^(session|transaction)$/.test(value) : known.includes(name) && !/^\d{1,9}$/.test(value)));
  return [
    ...others.map((setting) => findingOf(SHAPE_TEXTS.noCounterpart, {
      path: line('proxy', setting), problem: `${setting.section === undefined ? '' : `[${setting.section}] `}${setting.name} cannot be set on a pooler`,
      fix: `Leave it out; there are ${known.join(', ')}`,
    })),
    ...wrong.map((setting) => findingOf(SHAPE_TEXTS.wrongChoice, {
      path: line('proxy', setting), problem: `${setting.name} is ${JSON.stringify(setting.value)}`,
      fix: 'pool_mode is session or transaction, the others are whole numbers',
    })),
  ];
}

function thirdStorage(spec: OpenEverestSpec): Finding[] {
  const third = storageNames(spec)[2];
  const index = (spec.backup?.schedules ?? []).findIndex(({ backupStorageName }) => backupStorageName === third);
  return third === undefined ? [] : [findingOf(SHAPE_TEXTS.noCounterpart, {
    path: ['spec', 'backup', 'schedules', index, 'backupStorageName'], problem: `${third} is a third storage, and a cluster has two repositories at the most`,
    fix: 'Use two storages',
  })];
}

/** What has no counterpart in the props, and lines that cannot be read. */
export function checkForPostgres(spec: OpenEverestSpec): Finding[] {
  return [
    ...unreadable('engine', engineConfig(spec)), ...unreadable('proxy', poolerConfig(spec)),
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

function resourceRenames(spec: OpenEverestSpec): Array<[Path, Path]> {
  const kinds = [['cpu', 'memory'].flatMap((kind): Array<[Path, Path]> => {
    const name = kind as 'cpu' | 'memory';
    const given = spec.engine.resources;
    const written: Path = given?.limits?.[name] === undefined ? [name] : ['limits', name];
    const limit: Path = ['spec', 'engine', 'resources', ...written];
    return [
      ...(given?.requests?.[name] === undefined ? [[['resources', 'requests', name], limit] as [Path, Path]] : []),
      [['resources', 'limits', name], limit],
    ];
  })];
  return kinds.flat();
}

function backupRenames({ backup }: OpenEverestSpec): Array<[Path, Path]> {
  const schedules = backup?.schedules ?? [];
  const [first] = schedules;
  const second = schedules.findIndex(({ backupStorageName }) => backupStorageName !== first?.backupStorageName);
  const at = (index: number, field: string): Path => ['spec', 'backup', 'schedules', index, field];
  return [
    ...schedules.map((_, index): [Path, Path] => [['backup', 'schedules', index, 'cron'], at(index, 'schedule')]),
    [['backup', 'schedules'], ['spec', 'backup', 'schedules']],
    [['backup', 'secondary', 'retention'], at(second, 'retentionCopies')],
    [['backup', 'secondary', 'storage'], at(second, 'backupStorageName')],
    [['backup', 'retention'], at(0, 'retentionCopies')],
    [['backup', 'storage'], at(0, 'backupStorageName')],
    [['backup', 'archiveTimeout'], ['spec', 'backup', 'pitr', 'uploadIntervalSec']],
  ];
}

function renames(spec: OpenEverestSpec): Array<[Path, Path]> {
  const settings = engineConfig(spec).settings.map((setting): [Path, Path] => [['parameters', setting.name], line('engine', setting)]);
  const pool = poolerConfig(spec).settings;
  const pooler = ([['poolMode', 'pool_mode'], ['poolSize', 'default_pool_size'], ['maxClientConnections', 'max_client_conn']] as const)
    .map(([option, name]): [Path, Path] => {
      const found = pool.find((setting) => setting.name === name);
      return [['pooler', option], found ? line('proxy', found) : ['spec', 'proxy']];
    });
  const instances = spec.proxy?.replicas === undefined ? ['spec', 'engine', 'replicas'] : ['spec', 'proxy', 'replicas'];
  return [
    ...settings, ...pooler, ...resourceRenames(spec), ...backupRenames(spec),
    [['pooler', 'instances'], instances],
    [['pooler', 'placement'], ['spec', 'podSchedulingPolicyName']],
    [['pooler'], ['spec', 'proxy']],
    [['parameters'], ['spec', 'engine', 'config']],
    [['placement'], ['spec', 'podSchedulingPolicyName']],
    [['storage', 'storageClassName'], ['spec', 'engine', 'storage', 'class']],
    [['storage'], ['spec', 'engine', 'storage']],
    [['version'], ['spec', 'engine', 'version']],
    [['instances'], ['spec', 'engine', 'replicas']],
    [['resources'], ['spec', 'engine', 'resources']],
    [['clusterName'], ['metadata', 'name']],
    [['namespace'], ['metadata', 'namespace']],
    [['labels'], ['metadata', 'labels']],
    [['annotations'], ['metadata', 'annotations']],
  ];
}

/** The path of a prop in the words of the document. */
export function toOpenEverestPath(spec: OpenEverestSpec, path: Path): Path {
  const rename = renames(spec).find(([from]) => from.every((part, index) => path[index] === part));
  return rename ? [...rename[1], ...path.slice(rename[0].length)] : ['spec', ...path];
}
