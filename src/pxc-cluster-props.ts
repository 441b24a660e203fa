import type { GaleraClusterProps } from './galera-cluster-props';

/** Properties of a `PxcCluster`. */
export interface PxcClusterProps extends GaleraClusterProps {
  /**
   * Version of Percona XtraDB Cluster: a series, `8.0` or `8.4`, or an exact one of these with `image`. Another series
   * is refused on a living cluster.
   *
   * @default 8.4
   */
  readonly version?: string;

  /**
   * Vendor image of the server, with a fixed tag or a digest. It is used unchanged.
   *
   * @default - percona/percona-xtradb-cluster, 8.0.45-36.1 or 8.4.8-8.1 for the series; none for an exact version
   */
  readonly image?: string;

  /**
   * Image of the containers that run the scripts, as images/mariadb builds it. It holds Python, zstd and rclone, which
   * the vendor's image does not.
   *
   * @default cdk8s-everest/mariadb:11.8
   */
  readonly scriptImage?: string;
}
