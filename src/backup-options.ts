import type { Duration } from 'cdk8s';
import type { BackupRetention } from './backup-retention';
import type { BackupScheduleOptions } from './backup-schedule-options';
import type { BackupStorage } from './backup-storage';
import type { RestoreDrillOptions } from './restore-drill-options';

/** A place for backups, and how long they stay there. */
export interface BackupRepository {
  /** Where backups go. */
  readonly storage: BackupStorage;

  /**
   * How long backups are kept. Takes effect after the next backup.
   *
   * @default BackupRetention.days(14)
   */
  readonly retention?: BackupRetention;
}

/**
 * Backups and the continuous archive of the write-ahead log, by pgBackRest inside of the members.
 *
 * Given to a living cluster, everything takes effect within two minutes after the manifests are applied, and nothing
 * restarts (but with a web identity, see `StorageAccess`). Taken away, archiving ends; what is in the storage stays.
 */
export interface BackupOptions extends BackupRepository {
  /**
   * A second repository. The write-ahead log always goes to both, a backup to the one that its schedule names.
   *
   * @default - none
   */
  readonly secondary?: BackupRepository;

  /**
   * When full, differential and incremental backups are made. More can be added with `addBackupSchedule()`.
   *
   * @default - none: only the write-ahead log is archived, and there is nothing to restore before the first backup
   */
  readonly schedules?: BackupScheduleOptions[];

  /**
   * When backups are restored into a throwaway volume and looked at. More can be added with `addRestoreDrill()`.
   *
   * @default - none: nobody knows whether the backups can be restored
   */
  readonly drills?: RestoreDrillOptions[];

  /**
   * The longest time that a committed row waits before its write-ahead log is sent, however little is written. 10 s to
   * 1 hour; a whole segment (16 MiB before compression) is sent each time.
   *
   * @default Duration.seconds(60)
   */
  readonly archiveTimeout?: Duration;

  /**
   * Processes that compress and send at the same time, 1 to 32.
   *
   * @default 2
   */
  readonly processes?: number;

  /**
   * Level of the zstd compression, 1 (fast) to 19 (small).
   *
   * @default 3
   */
  readonly compressionLevel?: number;

  /**
   * Image of the Jobs that make backups.
   *
   * @default - cdk8s-everest/agent in the version of this package
   */
  readonly jobImage?: string;
}
