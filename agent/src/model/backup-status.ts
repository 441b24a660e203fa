/** The documents about backups in `<cluster>-status`. Jobs write one, the agent the other, and both read both. */
import { parseJson } from './objects.js';
import type { BackupType } from './pgbackrest.js';
import type { ContractSchedule } from '../../../src/contract/document.js';
import type { KubeObject } from '../ports/kube.js';

/** Written by the Jobs that make backups. */
export const BACKUP_KEY = 'backup.json';
/** Written by the agent's own loop. */
export const ARCHIVE_KEY = 'archive.json';

export const BACKUP_STATUS_VERSION = 1;

/** In a ConfigMap all has to fit into 1 MiB; older backups stay in the repository's own list. */
export const BACKUPS_LISTED = 200;

export interface FailureStatus {
  readonly kind: string;
  readonly problem: string;
  readonly fix: string;
  /** What pgBackRest said, in short. */
  readonly detail: string;
}

/** What came of the last run of a schedule, or of what a person asked for. */
export interface ScheduleResult {
  readonly type: ContractSchedule['type'];
  readonly repository: number;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly done: boolean;
  /** The Pod in which pgBackRest ran; absent when it did not come to that. */
  readonly member?: string;
  readonly label?: string;
  readonly note?: string;
  readonly failure?: FailureStatus;
  /** End of the last backup of this schedule that was good. */
  readonly lastGoodAt?: string;
}

export interface BackupRecord {
  readonly label: string;
  readonly type: BackupType;
  readonly good: boolean;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly sizeBytes?: number;
  readonly storedBytes?: number;
  readonly buildsOn: readonly string[];
}

export interface SnapshotRecord {
  readonly name: string;
  /** The data are consistent from this moment on. */
  readonly endedAt: string;
  readonly stopLsn: string;
  readonly member: string;
  /** It can be recovered from. */
  readonly good: boolean;
  /** Why not. */
  readonly why?: string;
}

export interface WindowStatus {
  readonly startsAt: string;
  readonly endsAt: string;
  readonly oldestBackup: string;
  readonly newestBackup: string;
}

export interface RepositoryStatus {
  readonly checkedAt: string;
  readonly window?: WindowStatus;
  /** Why there is no window. */
  readonly why?: string;
  /** The newest WAL segment that is missing in between: backups before it cannot be replayed to now. */
  readonly gap?: string;
  /** Newest first. */
  readonly backups: readonly BackupRecord[];
}

export interface BackupStatus {
  readonly statusVersion: number;
  readonly updatedAt: string;
  readonly schedules: Readonly<Record<string, ScheduleResult>>;
  /** By key. */
  readonly repositories: Readonly<Record<string, RepositoryStatus>>;
  /** VolumeSnapshots, by schedule, newest first. */
  readonly snapshots?: Readonly<Record<string, readonly SnapshotRecord[]>>;
}

/** All that was in a repository is gone, and there is no full backup in it since. */
export interface LostStatus {
  readonly repository: number;
  readonly storage: string;
  /** When the member found it empty. */
  readonly at: string;
  /** As many as the status had listed. */
  readonly backups: number;
  readonly newestBackup?: string;
}

/** The primary's clock is not the agent's. */
export interface ClockStatus {
  /** Above 0: the primary's is ahead. */
  readonly offsetSeconds: number;
  readonly problem: string;
  readonly fix: string;
}

/** Before the log that waits for the archive has filled the volume. */
export interface WritesStopped {
  readonly at: string;
  readonly problem: string;
  readonly fix: string;
}

export type ArchiveState =
  /** What was written last has arrived. */
  | 'archiving'
  /** Nothing has arrived from this primary yet, and nothing has failed. */
  | 'waiting'
  | 'failing'
  /** The primary cannot be asked. */
  | 'unknown';

/** Times are ISO 8601. What is not known is absent. */
export interface ArchiveStatus {
  readonly state: ArchiveState;
  /** Since when it is so. */
  readonly since: string;
  readonly checkedAt: string;
  /** The handshake: the first WAL file of this cluster that arrived. */
  readonly firstArchivedAt?: string;
  readonly failure?: FailureStatus;
  /** Carried until there is a good full backup. */
  readonly lost?: LostStatus;
  readonly clock?: ClockStatus;
  readonly writesStopped?: WritesStopped;
  /** Whose configuration the agent has changed so that they take no writes, and has not changed back yet. */
  readonly readOnlyMembers?: readonly string[];
  readonly lastArchivedWal?: string;
  readonly lastArchivedAt?: string;
  readonly lastFailedWal?: string;
  readonly lastFailedAt?: string;
  /** What was committed until then is in the archive. */
  readonly archivedUpTo?: string;
  readonly waitingFiles?: number;
  readonly waitingBytes?: number;
  /** On the volume that WAL waits on; looked at only while much waits. */
  readonly freeBytes?: number;
  readonly volumeBytes?: number;
  /** At the rate of the last minutes. */
  readonly fullAt?: string;
}

const STATES: readonly string[] = ['archiving', 'waiting', 'failing', 'unknown'];

function documentIn(object: KubeObject | undefined, key: string): Record<string, unknown> | undefined {
  return parseJson((object as { data?: Record<string, string> } | undefined)?.data?.[key]);
}

/** What another version wrote is not read. */
export function readBackupStatus(object: KubeObject | undefined): BackupStatus | undefined {
  const status = documentIn(object, BACKUP_KEY);
  return status?.statusVersion === BACKUP_STATUS_VERSION ? status as unknown as BackupStatus : undefined;
}

export function readArchiveStatus(object: KubeObject | undefined): ArchiveStatus | undefined {
  const status = documentIn(object, ARCHIVE_KEY);
  return STATES.includes(status?.state as string) ? status as unknown as ArchiveStatus : undefined;
}
