import { metadata, optional, type Manifest } from './manifest';
import { memberContainer, memberPodVolumes } from './member-container';
import { placementFields } from './placement-fields';
import { memberSelector } from './services';
import { COMPONENT, LABEL, clusterLabels } from '../contract/labels';
import { membersServiceName } from '../contract/names';
import type { ResolvedGroup } from '../resolve/groups';
import type { ClusterIdentity } from '../resolve/identity';
import type { ResolvedPostgres } from '../resolve/postgres';

function memberLabels(member: string, group: string): Record<string, string> {
  return { [LABEL.component]: COMPONENT.member, [LABEL.member]: member, [LABEL.group]: group };
}

/** What Pod Security `restricted` asks of a Pod with a volume of its user's. */
export function restrictedPod(uid: number): Record<string, unknown> {
  return {
    fsGroup: uid,
    // The default (Always) makes the data group-writable at each mount, and PostgreSQL then refuses to start.
    fsGroupChangePolicy: 'OnRootMismatch',
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

function podSpec(cluster: ResolvedPostgres, group: ResolvedGroup, member: string): Record<string, unknown> {
  return {
    serviceAccountName: cluster.name,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    ...optional('imagePullSecrets', cluster.imagePullSecrets.map((name) => ({ name }))),
    securityContext: restrictedPod(cluster.image.uid),
    terminationGracePeriodSeconds: cluster.terminationGraceSeconds,
    ...placementFields(group.placement, memberSelector(cluster)),
    containers: [memberContainer(cluster, group)],
    volumes: memberPodVolumes(cluster, group, member),
  };
}

/** A member of any engine: who it is, and what its Pod is like. */
export interface MemberPod {
  readonly member: string;
  readonly group: string;
  readonly spec: Record<string, unknown>;
}

/**
 * A member is a StatefulSet of one Pod. Its template changes only through OnDelete, so that no controller but ours (or
 * a person) decides when a member restarts.
 */
export function statefulSetOf(cluster: ClusterIdentity, { member, group, spec }: MemberPod): Manifest {
  const labels = memberLabels(member, group);
  const selector = { [LABEL.cluster]: cluster.name, [LABEL.component]: COMPONENT.member, [LABEL.member]: member };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metadata(cluster, member, { labels }),
    spec: {
      replicas: 1,
      serviceName: membersServiceName(cluster.name),
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      revisionHistoryLimit: 3,
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: { ...cluster.labels, ...clusterLabels(cluster.name, cluster.engine), ...labels } },
        spec,
      },
    },
  };
}

/** The StatefulSet of one member of a PostgresCluster. */
export function memberStatefulSet(cluster: ResolvedPostgres, group: ResolvedGroup, member: string): Manifest {
  return statefulSetOf(cluster, { member, group: group.name, spec: podSpec(cluster, group, member) });
}
