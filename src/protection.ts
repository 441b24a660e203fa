/**
 * What happens to volumes and Secrets when their objects are pruned, uninstalled or deleted.
 */
export class Protection {
  /**
   * Data stays: Argo CD, Flux and Helm keep volumes and Secrets, and a finalizer holds back a deleted volume claim
   * until a person takes it off by name. The default.
   */
  public static retain(): Protection {
    return new Protection(true);
  }

  /** Data goes with the objects. For previews and tests only. */
  public static deleteWithCluster(): Protection {
    return new Protection(false);
  }

  private constructor(
    /** True: data outlives the objects. */
    public readonly retainsData: boolean,
  ) {}
}
