/** An amount of CPU and memory, as Kubernetes quantities. */
export interface ResourceAmounts {
  /**
   * CPU, such as `500m` or `4`.
   *
   * @default - see `Resources`
   */
  readonly cpu?: string;

  /**
   * Memory, such as `16Gi`.
   *
   * @default - see `Resources`
   */
  readonly memory?: string;
}

/**
 * CPU and memory of one database container. PostgreSQL's memory settings are derived from the memory limit.
 *
 * A change on a living cluster applies to each member when its Pod is next replaced (docs/guide/operations-by-hand.md).
 */
export interface Resources {
  /**
   * What the scheduler reserves.
   *
   * @default - CPU 500m, memory 1Gi (or the limit, where only a limit is given)
   */
  readonly requests?: ResourceAmounts;

  /**
   * What the container may use at the most.
   *
   * @default - memory as requested, so that the kernel never takes memory back from the database; CPU without a limit,
   * since throttling delays failover and replication for no gain
   */
  readonly limits?: ResourceAmounts;
}
