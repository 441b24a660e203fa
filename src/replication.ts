/** Options of replication that waits for standbys. */
export interface SynchronousOptions {
  /**
   * How many standbys must confirm a commit.
   *
   * @default 1
   */
  readonly standbys?: number;

  /**
   * With true, writes wait while too few standbys are there. With false, the primary goes on alone once Patroni has
   * noticed (within its `loopWait`); when it is then lost too, the cluster waits for it rather than lose its last
   * commits.
   *
   * @default false
   */
  readonly strict?: boolean;
}

/** Options of replication that does not wait. */
export interface AsynchronousOptions {
  /**
   * A standby that is further behind than this does not become primary, such as `1Mi`. Bounds what a failover can lose.
   *
   * @default 1Mi
   */
  readonly maximumLagOnFailover?: string;

  /**
   * With true, the agent clears the lease of a primary that is silent as soon as no standby streams from it any more,
   * some 4 s after its node was lost, in place of Patroni's `ttl`. A primary that was only cut off goes on
   * acknowledging writes until it notices, and these are lost. Needs an `agent`.
   *
   * @default false
   */
  readonly preferAvailability?: boolean;
}

/**
 * What a commit waits for.
 *
 * A change on a living cluster has to be carried into Patroni's dynamic configuration
 * (docs/guide/operations-by-hand.md); nothing restarts.
 */
export class Replication {
  /** A commit waits for no standby. Fastest; a failover can lose the last commits (see `maximumLagOnFailover`). */
  public static asynchronous(options: AsynchronousOptions = {}): Replication {
    return new Replication('asynchronous', 0, false, options);
  }

  /** A commit waits for named standbys, and only these can become primary: no acknowledged commit is lost. */
  public static synchronous(options: SynchronousOptions = {}): Replication {
    return new Replication('synchronous', options.standbys ?? 1, options.strict ?? false);
  }

  /**
   * A commit waits for any of the standbys; the loss of one of them stalls nothing, and no acknowledged commit is lost.
   * Needs an odd number of members and Patroni 4 or newer in the image.
   */
  public static quorum(options: SynchronousOptions = {}): Replication {
    return new Replication('quorum', options.standbys ?? 1, options.strict ?? false);
  }

  /** Greatest lag of a candidate; only when asynchronous. */
  public readonly maximumLagOnFailover?: string;

  /** A silent primary is given up before its lease ends; only when asynchronous. */
  public readonly preferAvailability: boolean;

  private constructor(
    /** `asynchronous`, `synchronous` or `quorum`. */
    public readonly mode: string,
    /** Standbys that confirm a commit; 0 when asynchronous. */
    public readonly standbys: number,
    /** Writes wait rather than go on alone. */
    public readonly strict: boolean,
    options: AsynchronousOptions = {},
  ) {
    this.maximumLagOnFailover = options.maximumLagOnFailover;
    this.preferAvailability = options.preferAvailability ?? false;
  }
}
