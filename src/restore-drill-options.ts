import type { Duration } from 'cdk8s';
import type { Resources } from './resources';
import type { StorageAccess } from './storage-access';

/** Up to where a drill restores. */
export class DrillTarget {
  /**
   * The newest backup and all of the write-ahead log after it, as after the loss of the whole cluster. Only this one
   * measures how much would be lost (RPO).
   */
  public static newest(): DrillTarget {
    return new DrillTarget('newest');
  }

  /**
   * Another position in the window each time, drawn from what was written between the oldest good backup and the end of
   * the archive, with the backup before it. Old backups and the log between are tried this way too.
   */
  public static random(): DrillTarget {
    return new DrillTarget('random');
  }

  private constructor(
    /** `newest` or `random`. */
    public readonly type: string,
  ) {}
}

/** A question to the restored data that has to be answered with yes. */
export interface DrillCheck {
  /** Name of the check, as it stands in the status. */
  readonly name: string;

  /**
   * A query that gives one row with one column, `true`: `SELECT max(created) > now() - interval '1 day' FROM orders`.
   * It runs as superuser in the copy, which has no way to the network.
   */
  readonly sql: string;

  /**
   * Database that is asked.
   *
   * @default - the first of `databases`, or `postgres` where there is none
   */
  readonly database?: string;
}

/**
 * A drill: backups are restored into a throwaway volume and looked at. A CronJob `<cluster>-drill`, or
 * `<cluster>-drill-<name>`. Nothing of the cluster takes part in it, and nothing is written to the storage.
 */
export interface RestoreDrillOptions {
  /**
   * Name of the drill, where a cluster has several.
   *
   * @default - none: the CronJob is `<cluster>-drill`, and the status calls it `default`
   */
  readonly name?: string;

  /** When, as five fields of cron: minute, hour, day of the month, month, day of the week. */
  readonly cron: string;

  /**
   * Time zone of `cron`, such as `Europe/Berlin`.
   *
   * @default Etc/UTC
   */
  readonly timeZone?: string;

  /** @default DrillTarget.newest() */
  readonly target?: DrillTarget;

  /**
   * Questions to the data, beside checksums of all pages and amcheck of all tables and B-trees, which are always done.
   *
   * @default - none
   */
  readonly checks?: DrillCheck[];

  /**
   * From the second repository.
   *
   * @default false
   */
  readonly fromSecondary?: boolean;

  /**
   * Keys of the drill's own that may read the bucket and nothing else, for S3: `StorageAccess.secret()`.
   *
   * @default - those of the storage
   */
  readonly access?: StorageAccess;

  /**
   * Size of the volume: the database, and the write-ahead log that is replayed at once.
   *
   * @default - that of the largest member, with the size of its WAL volume where it has one
   */
  readonly storageSize?: string;

  /**
   * StorageClass of the volume.
   *
   * @default - that of the members
   */
  readonly storageClassName?: string;

  /**
   * CPU and memory of the container that restores. A quarter of the memory becomes shared_buffers.
   *
   * @default - CPU 250m, memory 512Mi requested and 1Gi at the most
   */
  readonly resources?: Resources;

  /**
   * A drill that takes longer is ended and counts as failed.
   *
   * @default Duration.hours(24)
   */
  readonly deadline?: Duration;

  /**
   * No drill starts while this is true; one that runs goes on.
   *
   * @default false
   */
  readonly suspend?: boolean;
}
