import type { BackupStorage } from './backup-storage';

/** Whose backups are read, and where the pass of their encryption lies. */
export interface RecoverySourceOptions {
  /** Name of the cluster that made the backups. */
  readonly clusterName: string;

  /**
   * Namespace of the cluster that made them.
   *
   * @default - the new cluster's
   */
  readonly namespace?: string;

  /**
   * Secret with the pass of the encryption. It has to be in the new cluster's namespace: from another namespace, copy
   * it.
   *
   * @default - the one that the members of that cluster filled, `<clusterName>-backup-pass`, or that of
   * `BackupEncryption.existing()`
   */
  readonly passSecretName?: string;

  /**
   * Key in that Secret; `repository-2` for a storage that was the cluster's second one.
   *
   * @default repository-1
   */
  readonly passSecretKey?: string;
}

/** Where a cluster is recovered from. It is only read: nothing is written to it or removed from it. */
export class RecoverySource {
  /**
   * The repository of a cluster, which need not exist any more.
   *
   * @param storage as that cluster had it, with its `prefix`; Secrets that it names have to be in the new cluster's
   * namespace
   */
  public static storage(storage: BackupStorage, options: RecoverySourceOptions): RecoverySource {
    return new RecoverySource(storage, options);
  }

  private constructor(
    /** The storage. */
    public readonly backupStorage: BackupStorage,
    /** Whose repository in it. */
    public readonly options: RecoverySourceOptions,
  ) {}
}
