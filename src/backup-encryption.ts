/**
 * Encryption of a repository by the members (AES-256), so that the storage's owner reads nothing. Whoever loses the
 * pass loses every backup: keep a copy of it outside of the Kubernetes cluster.
 */
export class BackupEncryption {
  /**
   * The members fill the Secret `<cluster>-backup-pass` with a random pass, once. They do so only while the repository
   * is seen to be empty: a Secret that was lost is never replaced by another pass, and members say which Secret has to
   * come back. The default.
   */
  public static generated(): BackupEncryption {
    return new BackupEncryption('generated');
  }

  /** An existing Secret holds the pass. */
  public static existing(secretName: string, key: string = 'pass'): BackupEncryption {
    return new BackupEncryption('existing', secretName, key);
  }

  /** Backups lie in the storage as they are, for everybody who can read the bucket. */
  public static unencrypted(): BackupEncryption {
    return new BackupEncryption('unencrypted');
  }

  private constructor(
    /** `generated`, `existing` or `unencrypted`. */
    public readonly mode: string,
    /** Secret with the pass. */
    public readonly secretName?: string,
    /** Key in it. */
    public readonly key?: string,
  ) {}
}
