import type { BackupOptions } from './backup-options';
import type { Bootstrap } from './bootstrap';
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

  /**
   * Where backups and the binary log go, and when backups are made. S3 with the keys of a Secret, one repository, full
   * backups. Given to a living cluster, everything takes effect within two minutes after the manifests are applied, and
   * nothing restarts. Taken away, archiving ends; what is in the storage stays.
   *
   * @default - none: there is nothing to restore from
   */
  readonly backup?: BackupOptions;

  /**
   * Where the first data come from: `Bootstrap.recover()` copies another cluster as it was at a moment. Read while no
   * member has data; without effect on a living cluster.
   *
   * @default - an empty cluster
   */
  readonly bootstrap?: Bootstrap;
}
