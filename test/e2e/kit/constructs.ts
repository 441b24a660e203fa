/** Manifests made as a user of the library makes them: by its compiled constructs. */
import { App, Chart } from 'cdk8s';
import type { Obj } from './cluster-api';
import { AGENT_IMAGE } from './images';
import { storageIn } from './object-storage';
import {
  BackupRetention, BackupType, Bootstrap, EverestAgent, MariaDbCluster, PostgresCluster, Protection, RecoverySource,
  Replication, type BackupOptions, type GaleraRole, type PostgresStorage, type RecoveryTarget,
} from '../../../lib';

/** What differs between the clusters of a suite; all else is the library's default or small. */
export interface ClusterWanted {
  readonly namespace: string;
  readonly name: string;
  readonly storageClass: string;
  readonly asynchronous?: boolean;
  readonly preferAvailability?: boolean;
  readonly instances?: number;
  /** In place of the catalog's: one that does not exist keeps members from coming up. */
  readonly image?: string;
  readonly cpu?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** A bucket of the testbed's object storage, for the write-ahead log. */
  readonly bucket?: string;
  /** Two full backups are kept, and a schedule `nightly` makes them. */
  readonly scheduled?: boolean;
  /** A schedule `volume` makes VolumeSnapshots, of which two are kept. */
  readonly snapshots?: boolean;
  /** The VolumeSnapshotClass that they ask for; the driver's default where none is given. */
  readonly snapshotClass?: string;
  /** Size of a volume of its own for the write-ahead log. */
  readonly walVolume?: string;
  /** Of the repository in the bucket. */
  readonly prefix?: string;
  readonly bootstrap?: Bootstrap;
  /** Size of a volume; 3 GiB where none is given. */
  readonly volume?: string;
}

/** Every fault makes timelines, and their segments of 16 MiB stay for a while. */
const VOLUME = '3Gi';

/** Three members, an agent that looks after them, a pooler before them. */
export function assistedCluster(wanted: ClusterWanted): Obj[] {
  const { preferAvailability = false } = wanted;
  const chart = new Chart(new App(), 'chart', { namespace: wanted.namespace });
  const agent = new EverestAgent(chart, 'agent', { image: AGENT_IMAGE.name });
  const cluster = new PostgresCluster(chart, wanted.name, {
    agent,
    version: '17',
    storage: volumesOf(wanted),
    resources: { requests: { cpu: wanted.cpu ?? '100m', memory: '512Mi' } },
    protection: Protection.deleteWithCluster(),
    parameters: { ...wanted.parameters },
    ...(wanted.bucket ? { backup: backupIn(wanted.bucket, wanted) } : {}),
    ...(wanted.bootstrap ? { bootstrap: wanted.bootstrap } : {}),
    ...(wanted.instances ? { instances: wanted.instances } : {}),
    ...(wanted.asynchronous ? { replication: Replication.asynchronous({ preferAvailability }) } : {}),
  });
  cluster.addPooler({ resources: { requests: { cpu: '20m', memory: '64Mi' } } });
  const objects = chart.toJson() as Obj[];
  return wanted.image ? objects.map((object) => withImage(object, wanted.image!)) : objects;
}

/** A cluster that begins with the backups of another one in the same namespace and bucket. */
export interface CloneWanted extends Pick<ClusterWanted, 'namespace' | 'name' | 'storageClass' | 'instances'> {
  readonly source: string;
  readonly bucket: string;
  readonly target: RecoveryTarget;
  /** It archives and backs itself up. */
  readonly archived?: boolean;
  /** The VolumeSnapshot that it begins with. */
  readonly snapshot?: string;
  /** The data wait at the target until they are declared without it. */
  readonly pauseAtTarget?: boolean;
  readonly walVolume?: string;
  /** A copy of a snapshot is as large as the volume that it was made of; 1 GiB else. */
  readonly volume?: string;
}

export function clonedCluster(
  { namespace, name, storageClass, instances, snapshot, pauseAtTarget, ...wanted }: CloneWanted,
): Obj[] {
  const chart = new Chart(new App(), 'chart', { namespace });
  const storage = storageIn(wanted.bucket);
  new PostgresCluster(chart, name, {
    version: '17',
    instances: instances ?? 3,
    storage: volumesOf({ volume: snapshot ? VOLUME : '1Gi', ...wanted, namespace, name, storageClass }),
    resources: { requests: { cpu: '100m', memory: '512Mi' } },
    protection: Protection.deleteWithCluster(),
    bootstrap: Bootstrap.recover({
      from: RecoverySource.storage(storage, { clusterName: wanted.source }), target: wanted.target,
      ...(snapshot ? { snapshot } : {}),
      ...(pauseAtTarget ? { pauseAtTarget } : {}),
    }),
    ...(wanted.archived ? { backup: { storage } } : {}),
  });
  return chart.toJson() as Obj[];
}

function volumesOf({ volume, walVolume, storageClass: storageClassName }: ClusterWanted): PostgresStorage {
  return { size: volume ?? VOLUME, storageClassName, ...(walVolume ? { walSize: walVolume } : {}) };
}

function backupIn(
  bucket: string, { prefix, scheduled, snapshots, snapshotClass: className }: ClusterWanted,
): BackupOptions {
  const storage = storageIn(bucket, prefix);
  if (!scheduled) return { storage };
  const volume = { name: 'volume', cron: '0 3 * * *', type: BackupType.volumeSnapshot({ keep: 2, ...(className ? { className } : {}) }) };
  const schedules = [{ name: 'nightly', cron: '0 2 * * *' }, ...(snapshots ? [volume] : [])];
  return { storage, schedules, retention: BackupRetention.fullBackups(2), jobImage: AGENT_IMAGE.name };
}

export interface GaleraWanted extends Pick<ClusterWanted, 'namespace' | 'name' | 'storageClass' | 'cpu'> {
  readonly roles?: GaleraRole[];
  readonly backup?: BackupOptions;
  readonly bootstrap?: Bootstrap;
}

/** Three members of MariaDB with their proxies, and an agent that looks after them. */
export function galeraCluster({ namespace, name, storageClass, cpu = '100m', ...more }: GaleraWanted): Obj[] {
  const chart = new Chart(new App(), 'chart', { namespace });
  const agent = new EverestAgent(chart, 'agent', { image: AGENT_IMAGE.name });
  new MariaDbCluster(chart, name, {
    agent,
    storage: { size: '2Gi', storageClassName: storageClass },
    resources: { requests: { cpu, memory: '640Mi' } },
    protection: Protection.deleteWithCluster(),
    ...more,
  });
  return chart.toJson() as Obj[];
}

type Workload = Obj & { spec: { template: { spec: { containers: Array<{ image: string }> } } } };

function withImage(object: Obj, image: string): Obj {
  if (object.kind === 'StatefulSet') (object as Workload).spec.template.spec.containers[0]!.image = image;
  return object;
}
