/**
 * How long backups and the write-ahead log that belongs to them are kept. What is older goes after each successful
 * backup. The newest full backup is never removed.
 */
export class BackupRetention {
  /** The window of point-in-time recovery, in days: one full backup that is older is kept for its beginning. */
  public static days(days: number): BackupRetention {
    return new BackupRetention('time', days);
  }

  /** The last full backups, by number, with the differential and incremental ones that build on them. */
  public static fullBackups(count: number): BackupRetention {
    return new BackupRetention('count', count);
  }

  private constructor(
    /** `time` or `count`, as pgBackRest writes it. */
    public readonly type: string,
    /** Days, or number of full backups. */
    public readonly amount: number,
  ) {}
}
