import type { Placement } from './placement';
import type { Resources } from './resources';

/** When a client's connection gives its server connection back. */
export class PoolMode {
  /** After each transaction: many clients share few server connections. Prepared statements work. The default. */
  public static transaction(): PoolMode {
    return new PoolMode('transaction');
  }

  /** When the client leaves: for clients that need session state (LISTEN, advisory locks, temporary tables). */
  public static session(): PoolMode {
    return new PoolMode('session');
  }

  private constructor(
    /** `transaction` or `session`, as PgBouncer writes it. */
    public readonly mode: string,
  ) {}
}

/** Which members a pooler leads to. */
export class PoolerTarget {
  /** The primary: for reads and writes. The default. */
  public static primary(): PoolerTarget {
    return new PoolerTarget('rw');
  }

  /** The standbys: for reads that may lag. */
  public static replicas(): PoolerTarget {
    return new PoolerTarget('ro');
  }

  private constructor(
    /** `rw` or `ro`. */
    public readonly service: string,
  ) {}
}

/**
 * PgBouncer in front of a cluster: a Deployment over different nodes with its Service, budget and NetworkPolicy.
 * Clients log in with the roles and passwords of the database; the pooler looks them up.
 */
export interface PoolerOptions {
  /** @default PoolerTarget.primary() */
  readonly target?: PoolerTarget;

  /**
   * Name of the pooler; its objects are called `<cluster>-pooler-<name>`.
   *
   * @default - `rw` for the primary, `ro` for the standbys
   */
  readonly name?: string;

  /**
   * Number of Pods.
   *
   * @default 2
   */
  readonly instances?: number;

  /** @default PoolMode.transaction() */
  readonly poolMode?: PoolMode;

  /**
   * Server connections of one Pod for each pair of database and role.
   *
   * @default - what max_connections allows, shared by all Pods and owners, with a fifth left for others
   */
  readonly poolSize?: number;

  /**
   * Clients that one Pod takes.
   *
   * @default 1000
   */
  readonly maxClientConnections?: number;

  /**
   * PgBouncer's image; a change replaces the pooler's Pods one after the other.
   *
   * @default cdk8s-everest/pgbouncer:1.24
   */
  readonly image?: string;

  /**
   * CPU and memory of one Pod.
   *
   * @default - CPU 100m, memory 128Mi
   */
  readonly resources?: Resources;

  /** @default - evenly over the nodes */
  readonly placement?: Placement;

  /**
   * Annotations of the pooler's Service.
   *
   * @default - none
   */
  readonly serviceAnnotations?: { [key: string]: string };
}
