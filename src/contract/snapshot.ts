/** VolumeSnapshots as backups: what the Job writes on them, and members read before a recovery (snapshot.py). */
export const SNAPSHOT_API = { group: 'snapshot.storage.k8s.io', version: 'v1', kind: 'VolumeSnapshot', plural: 'volumesnapshots' } as const;

/** Annotation with `SnapshotFacts` as JSON. It comes last: a snapshot without it is no backup. */
export const SNAPSHOT_ANNOTATION = 'everest.io/snapshot';

/** How many good ones a schedule keeps, where it does not say. */
export const SNAPSHOTS_KEPT = 7;

/** All that a server needs to know to begin on the snapshot. */
export interface SnapshotFacts {
  /** Whose, and in which member it was made. */
  readonly cluster: string;
  readonly member: string;
  /** System identifier. */
  readonly system: string;
  /** Major version of PostgreSQL. */
  readonly major: string;
  /** Of the processor: others cannot read the files. */
  readonly architecture: string;
  /** The file `backup_label`. */
  readonly label: string;
  /** Where the log begins that it needs, and where it is consistent. */
  readonly startLsn: string;
  readonly stopLsn: string;
  /** The first and the last WAL file of these. */
  readonly startWal: string;
  readonly stopWal: string;
  /** ISO 8601, by the member's clock. */
  readonly stoppedAt: string;
}
