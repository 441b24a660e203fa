import type { NetworkPeer } from './network';
import type { RecoverySource } from './recovery-source';

/** How a standby cluster is fed: by the archive of the cluster that it follows, by streaming, or by both. */
export interface StandbyOptions {
  /**
   * Repository of the cluster that is followed: the first copy is restored from it, and the write-ahead log is read
   * from its archive. It is never written to.
   *
   * @default - none: streaming alone, which needs `host`
   */
  readonly from?: RecoverySource;

  /**
   * Host name of the primary that is followed, such as a load balancer of its region. With an archive beside it, the
   * lag is that of the network; without it, a lost connection that lasts too long needs a new copy.
   *
   * @default - none: the archive alone, so the standby lags by the archive's time-out (60 s) at the least
   */
  readonly host?: string;

  /** @default 5432 */
  readonly port?: number;

  /**
   * Where `host` is, for the NetworkPolicy.
   *
   * @default - anywhere, on that port
   */
  readonly network?: NetworkPeer[];
}

/**
 * Whether a cluster follows another one. Without it a cluster leads, and stays what it is when this is taken away:
 * nothing is promoted because a line is missing.
 *
 * Both clusters have one system identifier, one PostgreSQL major version, the same roles and passwords (the Secrets of
 * the followed one are copied), and each has a repository of its own.
 */
export class Standby {
  /**
   * The cluster follows another one and takes no writes. On a living cluster the primary becomes a standby:
   * **demotion**.
   * What it has and the other one does not is rewound.
   */
  public static of(options: StandbyOptions): Standby {
    return new Standby('standby', options);
  }

  /**
   * The cluster leads. On a standby cluster: **promotion**, after which it archives to its own repository. Demote the
   * other cluster first.
   */
  public static promoted(): Standby {
    return new Standby('promoted');
  }

  private constructor(
    /** `standby` or `promoted`. */
    public readonly mode: string,
    /** How it is fed. */
    public readonly options?: StandbyOptions,
  ) {}
}
