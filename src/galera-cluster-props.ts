import type { Duration } from 'cdk8s';
import type { BackupOptions } from './backup-options';
import type { Bootstrap } from './bootstrap';
import type { Credentials } from './credentials';
import type { IEverestAgent } from './everest-agent';
import type { GaleraDatabase } from './galera-database';
import type { GaleraProxyOptions } from './galera-proxy';
import type { GaleraRole } from './galera-role';
import type { NetworkOptions } from './network';
import type { Placement } from './placement';
import type { PmmOptions } from './pmm';
import type { PodDisruption } from './pod-disruption';
import type { Protection } from './protection';
import type { Resources } from './resources';

/** The volume of each member. Every volume is a claim of its own, so growth is an edit of `size`. */
export interface GaleraStorage {
  /**
   * Size of the volume, such as `100Gi`. At least 1Gi: the write-set cache, redo log and binary logs lie on it too. A
   * smaller size on a living cluster is refused.
   */
  readonly size: string;

  /**
   * StorageClass of the volume. It cannot change on a living cluster.
   *
   * @default - the Kubernetes cluster's default StorageClass
   */
  readonly storageClassName?: string;
}

/** What `MariaDbCluster` and `PxcCluster` have in common. */
export interface GaleraClusterProps {
  /** Volume of each member. */
  readonly storage: GaleraStorage;

  /**
   * Name of the cluster and prefix of all of its objects. It cannot change: another name is another cluster.
   *
   * @default - the id of the construct
   */
  readonly clusterName?: string;

  /**
   * Namespace of all objects.
   *
   * @default - the namespace of the chart, else `default`
   */
  readonly namespace?: string;

  /**
   * Members that hold data: 3 or 5, 2 with an `arbitrator`, or 1 without high availability. An even number could part
   * into two halves that both stand still.
   *
   * @default 3
   */
  readonly instances?: number;

  /**
   * With 2 instances: a third voter without data (garbd), so that one member's loss leaves a majority. While one of the
   * two is away, the other one is the only copy.
   *
   * @default false
   */
  readonly arbitrator?: boolean;

  /**
   * CPU and memory of each member. The buffer pool is derived from the memory limit.
   *
   * @default - CPU 500m, memory 1Gi
   */
  readonly resources?: Resources;

  /**
   * Settings of my.cnf, section mysqld, that go before the derived ones. Unknown names and those that would break
   * Galera are refused. A change reaches living servers within two minutes where a setting can change without a
   * restart; the others are listed by the member (`pendingRestart`) until it restarts.
   *
   * @default - derived from resources and storage, see docs/guide/galera.md
   */
  readonly parameters?: { [name: string]: string };

  /**
   * How long a member may be away and still come back by the changes alone (IST), without a copy of all data (SST). The
   * write-set cache (`gcache.size`) is 1 MiB for each second of it, at least 128 MiB and at most a fifth of the volume.
   *
   * @default Duration.minutes(30)
   */
  readonly maintenanceWindow?: Duration;

  /**
   * Secrets for pulling the images.
   *
   * @default - none
   */
  readonly imagePullSecrets?: string[];

  /**
   * Where passwords come from. `Credentials.external()` is not supported for Galera.
   *
   * @default Credentials.generated()
   */
  readonly credentials?: Credentials;

  /**
   * Secret with `ca.crt`, `tls.crt` and `tls.key` for the traffic between members and for clients, such as one of
   * cert-manager. All members use the same one.
   *
   * @default - the first member makes an authority and a certificate of ten years and fills `<cluster>-tls`
   */
  readonly tlsSecretName?: string;

  /**
   * The agent of the namespace that looks after the cluster. It gets rights on exactly this cluster's objects.
   *
   * @default - none: members recover by themselves where that is safe without one
   */
  readonly agent?: IEverestAgent;

  /**
   * Databases and their owners. The writer makes those that are missing and keeps the owners' passwords as in their
   * Secrets and their rights. Nothing is ever dropped. A change takes effect within two minutes, without a restart.
   *
   * @default - database `app`, owner `app`
   */
  readonly databases?: GaleraDatabase[];

  /**
   * Users beside the owners of databases, or more for these.
   *
   * @default - owners only
   */
  readonly roles?: GaleraRole[];

  /**
   * Where members run.
   *
   * @default - evenly over the nodes, with a preference for different zones
   */
  readonly placement?: Placement;

  /**
   * How many members planned work on nodes may take away at a time.
   *
   * @default - one; no budget for a single member
   */
  readonly podDisruption?: PodDisruption;

  /**
   * HAProxy in front of the members.
   *
   * @default - two Pods
   */
  readonly proxy?: GaleraProxyOptions;

  /**
   * Who may connect. Clients reach HAProxy only.
   *
   * @default - Pods of the same namespace that carry the label `access.everest.io/<cluster>: "true"`
   */
  readonly network?: NetworkOptions;

  /**
   * Percona Monitoring and Management: its client runs beside each member.
   *
   * @default - none
   */
  readonly pmm?: PmmOptions;

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

  /**
   * Annotations of the Service `-rw`.
   *
   * @default - none
   */
  readonly serviceAnnotations?: { [key: string]: string };

  /**
   * Annotations of the Service `-ro`.
   *
   * @default - none
   */
  readonly replicaServiceAnnotations?: { [key: string]: string };

  /**
   * Labels of all objects and Pods. A change applies to each member when its Pod is next replaced.
   *
   * @default - none
   */
  readonly labels?: { [key: string]: string };

  /**
   * Annotations of all objects, not of Pods.
   *
   * @default - none
   */
  readonly annotations?: { [key: string]: string };

  /**
   * Oldest Kubernetes version that the manifests must fit, such as `1.31`.
   *
   * @default 1.27
   */
  readonly kubernetesVersion?: string;

  /**
   * What happens to volumes and Secrets when their manifests go.
   *
   * @default Protection.retain()
   */
  readonly protection?: Protection;
}
