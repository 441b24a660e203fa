/**
 * How many members planned work on nodes (drains, upgrades) may take away at a time.
 */
export class PodDisruption {
  /** At most so many members at a time. The default is 1 with two or more members. */
  public static maxUnavailable(members: number): PodDisruption {
    return new PodDisruption(members);
  }

  /** No PodDisruptionBudget: a drain may take all members at once. The default of a single member. */
  public static unprotected(): PodDisruption {
    return new PodDisruption(undefined);
  }

  private constructor(
    /** Members at a time; undefined: no budget. */
    public readonly members?: number,
  ) {}
}
