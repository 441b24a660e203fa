import type { Duration } from 'cdk8s';
import type { Resources } from './resources';

/** VolumeSnapshots as backups. */
export interface VolumeSnapshotOptions {
  /**
   * Name of the VolumeSnapshotClass.
   *
   * @default - the default class of the volume's driver
   */
  readonly className?: string;

  /**
   * How many snapshots of this schedule stay; the newest good one always does. 1 to 1000.
   *
   * @default 7
   */
  readonly keep?: number;
}

/** What a backup copies. */
export class BackupType {
  /** Everything. */
  public static full(): BackupType {
    return new BackupType('full');
  }

  /** What has changed since the last full backup. The first one is a full backup. */
  public static differential(): BackupType {
    return new BackupType('differential');
  }

  /** What has changed since the last backup of any type. The first one is a full backup. */
  public static incremental(): BackupType {
    return new BackupType('incremental');
  }

  /**
   * A VolumeSnapshot of one member's data volume, made in PostgreSQL's backup mode: a standby's where one streams. It
   * takes seconds, whatever the size, and stays with the storage of the volumes. The write-ahead log that it needs is
   * in the cluster's repository, so that a recovery can go on from it to any later moment; it counts only when that log
   * has arrived. Beside it there should be a schedule of full backups: they are elsewhere, and only with them old
   * write-ahead log is ever removed.
   *
   * For PostgresCluster. Needs the kinds of the external snapshotter and a driver that makes snapshots. Nothing
   * restarts. Taking it out leaves the snapshots that there are.
   */
  public static volumeSnapshot(options: VolumeSnapshotOptions = {}): BackupType {
    return new BackupType('snapshot', options);
  }

  private constructor(
    /** `full`, `differential`, `incremental` or `snapshot`. */
    public readonly type: string,
    /** Of a snapshot. */
    public readonly snapshot?: VolumeSnapshotOptions,
  ) {}
}

/**
 * A schedule of backups: a CronJob `<cluster>-backup-<name>`. All backups of a cluster share a lock; one that finds it
 * held waits for its turn until its deadline.
 */
export interface BackupScheduleOptions {
  /** Name of the schedule, such as `nightly`. */
  readonly name: string;

  /** When, as five fields of cron: minute, hour, day of the month, month, day of the week. `0 2 * * *` is 02:00. */
  readonly cron: string;

  /**
   * Time zone of `cron`, such as `Europe/Berlin`.
   *
   * @default Etc/UTC
   */
  readonly timeZone?: string;

  /** @default BackupType.full() */
  readonly type?: BackupType;

  /**
   * The backup goes to the second repository.
   *
   * @default false
   */
  readonly toSecondary?: boolean;

  /**
   * No backup starts while this is true; one that runs goes on.
   *
   * @default false
   */
  readonly suspend?: boolean;

  /**
   * A backup that takes longer is ended and counts as failed.
   *
   * @default Duration.hours(24)
   */
  readonly deadline?: Duration;

  /**
   * CPU and memory of the Job's Pod. It starts and watches the backup; the work itself is done in the member.
   *
   * @default - CPU 50m, memory 96Mi requested and 192Mi at the most
   */
  readonly resources?: Resources;
}
