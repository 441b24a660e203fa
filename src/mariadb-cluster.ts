import type { Construct } from 'constructs';
import { GaleraCluster } from './galera-cluster';
import type { MariaDbClusterProps } from './mariadb-cluster-props';

/**
 * A highly available MariaDB: members under Galera, each with its own volume, and HAProxy in front that leads to one
 * writer and to readers. Every commit has reached all members of the group before it is acknowledged.
 *
 * Creates for each member a StatefulSet, a Service and a volume claim; for the cluster HAProxy (Deployment), the
 * Services `-rw`, `-ro` and `-members`, a ServiceAccount with a Role, ConfigMaps, NetworkPolicies, PodDisruptionBudgets
 * and Secrets without values.
 */
export class MariaDbCluster extends GaleraCluster {
  public constructor(scope: Construct, id: string, props: MariaDbClusterProps) {
    super(scope, id, { engine: 'mariadb', props: props ?? {} });
  }
}
