import { backupRenames, storageNames, storagePath, toArchiveTimeout, toRetention, toSchedules, type Storages } from './backup';
import { lineFindings, linePath, readIni, type ConfigLines, type Setting } from './config-lines';
import type { SchedulingPolicy } from './placement';
import { commonRenames, DEFAULT_REPLICAS, renamed, toResources } from './resources';
import type { MonitoringDocument, OpenEverestCluster, OpenEverestSpec } from './shape';
import type { BackupOptions } from '../../backup-options';
import type { Finding } from '../../errors';
import type { PxcClusterProps } from '../../pxc-cluster-props';
import { findingOf } from '../../rules/run';
import { SHAPE_TEXTS } from '../../rules/shape-texts';
import { present } from '../present';

/* An OpenEverest document with the engine pxc in the props of PxcCluster, whose HAProxy OpenEverest always has too. */

type Path = Array<string | number>;

/** What a document names, found. */
export interface PxcReferences {
  readonly storages: Storages;
  readonly policy?: SchedulingPolicy;
  readonly monitoring?: MonitoringDocument['spec'];
}

const SERVER_SECTION = 'mysqld';
/** Key of the Secret that a MonitoringConfig names. */
const PMM_SECRET_KEY = 'apiKey';

function engineConfig({ engine }: OpenEverestSpec): ConfigLines {
  const { settings, unreadable } = readIni(engine.config ?? '', true);
  return { settings: settings.map((setting) => ({ ...setting, name: setting.name.replace(/-/g, '_') })), unreadable };
}

function refuse(path: Path, problem: string, fix: string): Finding {
  return findingOf(SHAPE_TEXTS.noCounterpart, { path, problem, fix });
}

/** As MySQL: a setting without a section is an error, and other sections belong to other programs. */
function sectionFindings({ settings }: ConfigLines): Finding[] {
  return settings.filter(({ section }) => section !== SERVER_SECTION).map((setting) => (setting.section === undefined
    ? findingOf(SHAPE_TEXTS.openEverest, {
      path: linePath('engine', setting), problem: `${setting.name} stands before any section`, fix: 'Write [mysqld] above it',
    })
    : refuse(linePath('engine', setting), `[${setting.section}] ${setting.name} cannot be set`, 'Leave it out; settings of [mysqld] can be set')));
}

function secondStorage(spec: OpenEverestSpec): Finding[] {
  const second = storageNames(spec)[1];
  return second === undefined ? [] : [
    refuse(storagePath(spec, second), `${second} is a second storage, and a Galera cluster has one`, 'Use one storage'),
  ];
}

/** A storage keeps so many backups, whichever schedule made them: of a rare one none would be left. */
function secondRetention({ backup }: OpenEverestSpec): Finding[] {
  const schedules = backup?.schedules ?? [];
  const index = schedules.findIndex(({ retentionCopies }) => retentionCopies !== undefined && retentionCopies > 0);
  return schedules.length < 2 || index < 0 ? [] : [
    refuse(['spec', 'backup', 'schedules', index, 'retentionCopies'], 'retentionCopies beside a second schedule: copies are counted for all schedules together',
      'Keep one schedule, or leave retentionCopies out: then all backups stay'),
  ];
}

/** What has no counterpart in the props, and lines that cannot be read. */
export function checkForPxc(spec: OpenEverestSpec): Finding[] {
  const lines = engineConfig(spec);
  return [
    ...lineFindings('engine', lines), ...sectionFindings(lines), ...secondStorage(spec), ...secondRetention(spec),
  ];
}

function toBackup(spec: OpenEverestSpec, storages: Storages): BackupOptions | undefined {
  const [name] = storageNames(spec);
  if (name === undefined) return undefined;
  return present({
    storage: storages.get(name)!,
    retention: toRetention(spec.backup?.schedules?.[0]?.retentionCopies),
    schedules: toSchedules(spec),
    archiveTimeout: toArchiveTimeout(spec),
  });
}

/** A series has an image; an exact version is the tag of one. */
function toVersion({ engine: { version } }: OpenEverestSpec): Pick<PxcClusterProps, 'version' | 'image'> {
  if (!version) return {};
  return /^\d+\.\d+$/.test(version) ? { version } : { version, image: `percona/percona-xtradb-cluster:${version}` };
}

function toPmm({ monitoring }: OpenEverestSpec, config: MonitoringDocument['spec'] | undefined): PxcClusterProps['pmm'] {
  return config && present({
    url: config.pmm.url,
    image: config.pmm.image || undefined,
    secretName: config.credentialsSecretName,
    secretKey: PMM_SECRET_KEY,
    insecureSkipTlsVerify: config.verifyTLS === false ? true : undefined,
    resources: toResources(monitoring?.resources),
  });
}

function valueOf({ value }: Setting): string {
  return value === '' ? 'ON' : value;
}

/** A document in which nothing is refused. */
export function toPxc({ metadata, spec }: OpenEverestCluster, found: PxcReferences): PxcClusterProps {
  const { settings } = engineConfig(spec);
  const { size, class: storageClassName } = spec.engine.storage;
  const { proxy, engine } = spec;
  return present({
    clusterName: metadata.name,
    namespace: metadata.namespace,
    labels: metadata.labels,
    annotations: metadata.annotations,
    ...toVersion(spec),
    instances: engine.replicas ?? DEFAULT_REPLICAS,
    storage: present({ size: String(size), storageClassName: storageClassName || undefined }),
    resources: toResources(engine.resources),
    parameters: settings.length === 0 ? undefined
      : Object.fromEntries(settings.map((setting) => [setting.name, valueOf(setting)])),
    proxy: present({
      instances: proxy?.replicas ?? engine.replicas ?? DEFAULT_REPLICAS,
      resources: toResources(proxy?.resources), placement: found.policy?.proxy,
    }),
    placement: found.policy?.engine,
    backup: toBackup(spec, found.storages),
    pmm: toPmm(spec, found.monitoring),
  });
}

/** The path of a prop in the words of the document. */
export function toPxcPath(spec: OpenEverestSpec, path: Path): Path {
  const { proxy } = spec;
  const instances = proxy?.replicas === undefined ? ['spec', 'engine', 'replicas'] : ['spec', 'proxy', 'replicas'];
  return renamed([
    ...engineConfig(spec).settings.map((setting): [Path, Path] => [['parameters', setting.name], linePath('engine', setting)]),
    ...backupRenames(spec),
    [['proxy', 'instances'], instances],
    [['proxy', 'placement'], ['spec', 'podSchedulingPolicyName']],
    [['pmm', 'resources'], ['spec', 'monitoring', 'resources']],
    [['pmm'], ['spec', 'monitoring', 'monitoringConfigName']],
    [['image'], ['spec', 'engine', 'version']],
    ...commonRenames(spec),
  ], path);
}
