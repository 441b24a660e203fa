import { metadata, type Manifest } from './manifest';
import { memberSelector } from './services';
import type { ClusterIdentity } from '../resolve/identity';

/** A budget over some Pods. Unhealthy ones may always be evicted: they protect nothing, and would block every drain. */
export function budgetSpec(
  maxUnavailable: number, matchLabels: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return { maxUnavailable, selector: { matchLabels }, unhealthyPodEvictionPolicy: 'AlwaysAllow' };
}

/** A budget over all members of the cluster, or none. */
export function disruptionBudget(cluster: ClusterIdentity & { readonly disruption?: number }): Manifest[] {
  if (cluster.disruption === undefined) return [];
  return [{
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(cluster, cluster.name),
    spec: budgetSpec(cluster.disruption, memberSelector(cluster)),
  }];
}
