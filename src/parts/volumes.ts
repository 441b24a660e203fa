import { metadata, optional, type Manifest } from './manifest';
import { COMPONENT, KEEP_ANNOTATIONS, LABEL, RETAIN_FINALIZER } from '../contract/labels';
import { volumeName } from '../contract/names';
import { SNAPSHOT_API } from '../contract/snapshot';
import type { ResolvedGroup } from '../resolve/groups';
import type { ClusterIdentity } from '../resolve/identity';
import type { ResolvedPostgres } from '../resolve/postgres';

interface Claim {
  readonly name: string;
  readonly size: string;
  readonly storageClassName?: string;
  /** Name of a VolumeSnapshot that it is made of. */
  readonly snapshot?: string;
}

/** One volume claim of a member. */
export function volumeClaim(cluster: ClusterIdentity, member: string, claim: Claim): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata(cluster, claim.name, {
      labels: { [LABEL.component]: COMPONENT.volume, [LABEL.member]: member },
      ...(cluster.retainsData ? { annotations: KEEP_ANNOTATIONS, finalizers: [RETAIN_FINALIZER] } : {}),
    }),
    spec: {
      accessModes: ['ReadWriteOnce'],
      ...optional('storageClassName', claim.storageClassName),
      // Written out although it is the default: GitOps tools would show the API server's addition as a drift.
      volumeMode: 'Filesystem',
      resources: { requests: { storage: claim.size } },
      ...optional('dataSource', claim.snapshot === undefined ? undefined
        : { apiGroup: SNAPSHOT_API.group, kind: SNAPSHOT_API.kind, name: claim.snapshot }),
    },
  };
}

/** The volume claims of one member: data, and the write-ahead log where it has its own. */
export function memberVolumes(cluster: ResolvedPostgres, group: ResolvedGroup, member: string): Manifest[] {
  const { size, storageClassName, walSize, walStorageClassName } = group.storage;
  const data = volumeClaim(cluster, member, {
    name: volumeName(member, 'data'), size, storageClassName,
    // The other members are copied from the first one.
    snapshot: member === cluster.groups[0]!.members[0] ? cluster.recovery?.snapshot : undefined,
  });
  if (!walSize) return [data];
  const walClass = walStorageClassName ?? storageClassName;
  return [data, volumeClaim(cluster, member, { name: volumeName(member, 'wal'), size: walSize, storageClassName: walClass })];
}
