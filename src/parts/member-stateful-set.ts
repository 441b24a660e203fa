import { metadata, optional, type Manifest } from './manifest';
import { memberContainer, memberPodVolumes } from './member-container';
import { placementFields } from './placement-fields';
import { memberSelector } from './services';
import { COMPONENT, LABEL, clusterLabels } from '../contract/labels';
import { membersServiceName } from '../contract/names';
import type { ResolvedGroup } from '../resolve/groups';
import type { ResolvedPostgres } from '../resolve/postgres';

function memberLabels(member: string, group: string): Record<string, string> {
  return { [LABEL.component]: COMPONENT.member, [LABEL.member]: member, [LABEL.group]: group };
}

function podSpec(cluster: ResolvedPostgres, group: ResolvedGroup, member: string): Record<string, unknown> {
  return {
    serviceAccountName: cluster.name,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    ...optional('imagePullSecrets', cluster.imagePullSecrets.map((name) => ({ name }))),
    securityContext: {
      fsGroup: cluster.image.uid,
      // The default (Always) makes the data group-writable at each mount, and PostgreSQL then refuses to start.
      fsGroupChangePolicy: 'OnRootMismatch',
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    terminationGracePeriodSeconds: cluster.terminationGraceSeconds,
    ...placementFields(group.placement, memberSelector(cluster)),
    containers: [memberContainer(cluster, group)],
    volumes: memberPodVolumes(cluster, group, member),
  };
}

/**
 * A member is a StatefulSet of one Pod. Its template changes only through OnDelete, so that no controller but ours (or
 * a person) decides when a member restarts.
 */
export function memberStatefulSet(cluster: ResolvedPostgres, group: ResolvedGroup, member: string): Manifest {
  const labels = memberLabels(member, group.name);
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
        metadata: { labels: { ...cluster.labels, ...clusterLabels(cluster.name, 'postgresql'), ...labels } },
        spec: podSpec(cluster, group, member),
      },
    },
  };
}
