import type { GaleraClusterProps } from './galera-cluster-props';

/** Properties of a `MariaDbCluster`. */
export interface MariaDbClusterProps extends GaleraClusterProps {
  /**
   * Series of MariaDB: `11.8` or `10.11`. Another one is refused on a living cluster. 10.11 was not run in a cluster.
   *
   * @default 11.8
   */
  readonly version?: string;

  /**
   * Image of the members, with a fixed tag or a digest. What must be inside stands in images/mariadb/README.md.
   *
   * @default - cdk8s-everest/mariadb:<version>
   */
  readonly image?: string;
}
