import type { Construct } from 'constructs';
import { GaleraCluster } from './galera-cluster';
import type { PxcClusterProps } from './pxc-cluster-props';

/**
 * Percona XtraDB Cluster: the vendor's images unchanged, run as `MariaDbCluster` runs MariaDB. What both share was run
 * with MariaDB; Percona XtraDB Cluster itself was not run.
 *
 * Creates what `MariaDbCluster` creates. Each Pod has two containers more: one for the member's script, and one of the
 * vendor's image for the programs of backups.
 */
export class PxcCluster extends GaleraCluster {
  public constructor(scope: Construct, id: string, props: PxcClusterProps) {
    super(scope, id, { engine: 'percona-xtradb-cluster', props: props ?? {} });
  }
}
