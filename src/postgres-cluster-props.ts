import type { BackupOptions } from './backup-options';
import type { Bootstrap } from './bootstrap';
import type { Credentials } from './credentials';
import type { PostgresDatabase } from './database';
import type { IEverestAgent } from './everest-agent';
import type { ImageCatalog, PostgresImage } from './image-catalog';
import type { MemberGroup } from './member-group';
import type { NetworkOptions } from './network';
import type { PatroniTiming } from './patroni-timing';
import type { Placement } from './placement';
import type { PodDisruption } from './pod-disruption';
import type { Protection } from './protection';
import type { Replication } from './replication';
import type { Resources } from './resources';
import type { PostgresRole } from './role';
import type { Standby } from './standby';
import type { PostgresStorage } from './storage';

/** Properties of a `PostgresCluster`. */
export interface PostgresClusterProps {
  /** Volumes of each member. */
  readonly storage: PostgresStorage;

  /**
   * Name of the cluster and prefix of all of its objects. It cannot change: another name is another cluster.
   *
   * @default - the id of the construct
   */
  readonly clusterName?: string;

  /**
   * Namespace of all objects. It is written into every manifest, since the rights of the members name it.
   *
   * @default - the namespace of the chart, else `default`
   */
  readonly namespace?: string;

  /**
   * Version of PostgreSQL: exact, such as `17.11`, or a major version, such as `17`, for the newest in the catalog.
   *
   * A newer minor version applies to each member when its Pod is next replaced. Another major version is refused on a
   * living cluster.
   *
   * @default - the newest version of the catalog
   */
  readonly version?: string;

  /**
   * Number of members of the default group; one of them is the primary. Fewer of them leaves the volumes in place.
   *
   * @default 3
   */
  readonly instances?: number;

  /**
   * CPU and memory of each member.
   *
   * @default - CPU 500m, memory 1Gi
   */
  readonly resources?: Resources;

  /**
   * More members, placed and sized apart.
   *
   * @default - none
   */
  readonly memberGroups?: MemberGroup[];

  /**
   * Settings of postgresql.conf that go before the derived ones. Unknown names and wrong values are refused.
   *
   * @default - derived from resources and storage, see docs/guide/parameters.md
   */
  readonly parameters?: { [name: string]: string };

  /**
   * Lines of pg_hba.conf for clients. The lines that the cluster itself needs stand before them.
   *
   * @default - all databases, roles and addresses with scram-sha-256
   */
  readonly pgHba?: string[];

  /**
   * What a commit waits for.
   *
   * @default - one standby: `Replication.quorum()` with an odd number of three or more members,
   * `Replication.synchronous()` with an even number, `Replication.asynchronous()` with a single member
   */
  readonly replication?: Replication;

  /**
   * Patroni's lease.
   *
   * @default - ttl 30 s, loopWait 10 s, retryTimeout 10 s
   */
  readonly timing?: PatroniTiming;

  /**
   * Image of the members, in place of the catalog's. Needs no `version`: it says its own.
   *
   * @default - the catalog's image for `version`
   */
  readonly image?: PostgresImage;

  /**
   * Which image serves which version.
   *
   * @default ImageCatalog.standard()
   */
  readonly imageCatalog?: ImageCatalog;

  /**
   * Secrets for pulling the image.
   *
   * @default - none
   */
  readonly imagePullSecrets?: string[];

  /**
   * Where passwords come from.
   *
   * @default Credentials.generated()
   */
  readonly credentials?: Credentials;

  /**
   * The agent of the namespace that looks after the cluster. It gets rights on exactly this cluster's objects.
   *
   * @default - none: Patroni alone elects and serves
   */
  readonly agent?: IEverestAgent;

  /**
   * Where backups and the write-ahead log go, and when backups are made.
   *
   * @default - none: there is nothing to restore from
   */
  readonly backup?: BackupOptions;

  /**
   * Where the first data come from.
   *
   * @default - an empty cluster; with `backup`, only where its repository is empty too
   */
  readonly bootstrap?: Bootstrap;

  /**
   * Whether the cluster follows another one, as in a second region. A change promotes or demotes a living cluster
   * through the agent; taken away it changes nothing.
   *
   * @default - the cluster leads
   */
  readonly standby?: Standby;

  /**
   * Databases and their owners. Without an agent they are made once, when the cluster is; with one, also later, within
   * half a minute after the manifests are applied. Nothing is ever dropped.
   *
   * @default - database `app`, owner `app`
   */
  readonly databases?: PostgresDatabase[];

  /**
   * More roles, and what owners have beyond their defaults. Made and kept by the agent within half a minute after the
   * manifests are applied; nothing restarts, and nothing is ever dropped. Needs an `agent`.
   *
   * @default - the owners of `databases`
   */
  readonly roles?: PostgresRole[];

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
   * Who may connect.
   *
   * @default - Pods of the same namespace that carry the label `access.everest.io/<cluster>: "true"`
   */
  readonly network?: NetworkOptions;

  /**
   * Annotations of the Service `-rw`, such as those of external-dns.
   *
   * @default - none
   */
  readonly serviceAnnotations?: { [key: string]: string };

  /**
   * Annotations of the Service `-ro`. They are its own: one host name for both Services would mix writes and reads.
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
   * Oldest Kubernetes version that the manifests must fit, such as `1.31`. Newer fields are only used from there on.
   *
   * @default 1.27
   */
  readonly kubernetesVersion?: string;

  /**
   * Reads through `-ro` go to members of the client's own zone where there are any. Needs `kubernetesVersion` 1.31 or
   * newer.
   *
   * @default false
   */
  readonly preferSameZoneReads?: boolean;

  /**
   * What happens to volumes and Secrets when their objects are deleted.
   *
   * @default Protection.retain()
   */
  readonly protection?: Protection;
}
