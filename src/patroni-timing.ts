import { Duration } from 'cdk8s';

/**
 * Patroni's lease. `loopWait + 2 × retryTimeout ≤ ttl` must hold, or Patroni cuts the values itself.
 *
 * A change on a living cluster has to be carried into Patroni's dynamic configuration
 * (docs/guide/operations-by-hand.md); nothing restarts.
 */
export interface PatroniTiming {
  /**
   * How long the primary keeps its lease without renewing it. At least 20 s (Patroni's minimum).
   *
   * @default Duration.seconds(30)
   */
  readonly ttl?: Duration;

  /**
   * Pause between two rounds of a member. A shorter one does not shorten failover: it makes the lease fresher when the
   * primary dies, which makes the mean wait longer.
   *
   * @default Duration.seconds(10)
   */
  readonly loopWait?: Duration;

  /**
   * How long a member tries to reach the Kubernetes API or PostgreSQL before it gives up its role. At least 3 s.
   *
   * @default Duration.seconds(10)
   */
  readonly retryTimeout?: Duration;
}
