/**
 * Volumes of each member. Every volume is a claim of its own, so growth is an edit of `size`.
 */
export interface PostgresStorage {
  /**
   * Size of the data volume, such as `100Gi`. At least 512Mi.
   *
   * Growing it on a living cluster resizes the volumes where the StorageClass allows it, without a restart.
   * A smaller size is refused: volumes cannot shrink.
   */
  readonly size: string;

  /**
   * StorageClass of the data volume. It cannot change on a living cluster.
   *
   * @default - the Kubernetes cluster's default StorageClass
   */
  readonly storageClassName?: string;

  /**
   * Size of a separate volume for the write-ahead log, such as `20Gi`. At least 512Mi.
   *
   * @default - the write-ahead log lies on the data volume
   */
  readonly walSize?: string;

  /**
   * StorageClass of the volume for the write-ahead log.
   *
   * @default - the same as `storageClassName`
   */
  readonly walStorageClassName?: string;
}
