/** Where a cluster's first data come from. Read while no member has data; without effect on a living cluster. */
export class Bootstrap {
  /**
   * An empty cluster, although its repository holds backups of another one: without this, members of a cluster that has
   * lost all of its volumes wait, and do not begin anew over its backups. The backups stay, and stay restorable.
   *
   * @param superseding the system identifier of the cluster whose backups are there, as the waiting member's log names
   * it. It fits once: after the new cluster's first start the repository belongs to another identifier.
   */
  public static fresh(superseding: string): Bootstrap {
    return new Bootstrap('fresh', superseding);
  }

  private constructor(
    /** `fresh`. */
    public readonly method: string,
    /** System identifier of the cluster whose backups are there. */
    public readonly superseding?: string,
  ) {}
}
