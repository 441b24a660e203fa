/** How exactly a moment is meant. */
export interface RecoveryTargetOptions {
  /**
   * Stops just before the target instead of just after it: the transaction with this number, or at this time, is left
   * out.
   *
   * @default false
   */
  readonly exclusive?: boolean;

  /**
   * Timeline that is followed. Another one than the newest is for moments that a restore has gone back behind.
   *
   * @default - the newest
   */
  readonly timeline?: number;

  /**
   * A time before the target, for transactions and restore points: the newest backup before it is the beginning. In ISO
   * 8601 with a zone.
   *
   * @default - the oldest backup, since the archive does not tell when a transaction was; that may take long
   */
  readonly after?: string;

  /**
   * Transactions that are left out, by GTID: one that destroyed data, while all that came after it stays. Galera
   * clusters only.
   *
   * @default - none
   */
  readonly skipTransactions?: string[];
}

/** Up to which moment a cluster is recovered. */
export class RecoveryTarget {
  /** All that is in the archive. */
  public static latest(options: RecoveryTargetOptions = {}): RecoveryTarget {
    return new RecoveryTarget('latest', '', options);
  }

  /**
   * A time: what was committed until then is there, what was committed later is not.
   *
   * @param at ISO 8601 with a zone, such as `2026-03-01T12:00:00Z` or `2026-03-01T13:00:00.25+01:00`; down to
   * microseconds
   */
  public static time(at: string, options: RecoveryTargetOptions = {}): RecoveryTarget {
    return new RecoveryTarget('time', at, options);
  }

  /**
   * A place in the write-ahead log.
   *
   * @param lsn as `pg_current_wal_lsn()` shows it, such as `0/5000060`
   */
  public static lsn(lsn: string, options: RecoveryTargetOptions = {}): RecoveryTarget {
    return new RecoveryTarget('lsn', lsn, options);
  }

  /**
   * The commit of a transaction. Which transactions are there depends on the order of their commits, not of their
   * numbers.
   *
   * @param id as `pg_current_xact_id()` shows it; with MariaDB a GTID, as `SELECT @@last_gtid` does
   */
  public static transaction(id: string, options: RecoveryTargetOptions = {}): RecoveryTarget {
    return new RecoveryTarget('xid', id, options);
  }

  /**
   * A named point.
   *
   * @param name as it was given to `pg_create_restore_point()`
   */
  public static restorePoint(name: string, options: RecoveryTargetOptions = {}): RecoveryTarget {
    return new RecoveryTarget('name', name, options);
  }

  private constructor(
    /** `latest`, `time`, `lsn`, `xid` or `name`. */
    public readonly type: string,
    /** As it was given. */
    public readonly value: string,
    /** How it is meant. */
    public readonly options: RecoveryTargetOptions = {},
  ) {}
}
