import { metadata, type Manifest } from './manifest';
import { memberSelector } from './services';
import type { ResolvedPostgres } from '../resolve/postgres';

/** A budget over all members of the cluster, or none. Unhealthy members may always be evicted: they protect nothing. */
export function disruptionBudget(cluster: ResolvedPostgres): Manifest[] {
  if (cluster.disruption === undefined) return [];
  return [{
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(cluster, cluster.name),
    spec: {
      maxUnavailable: cluster.disruption,
      selector: { matchLabels: memberSelector(cluster) },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  }];
}
