/** What the Job of a backup and the engines' own parts of it have in common. */
import type { Log } from './log.js';
import type { FailureStatus, RepositoryStatus, SnapshotRecord } from './model/backup-status.js';
import type { BackupFacts, BackupType } from './model/pgbackrest.js';
import type { Clock } from './ports/clock.js';
import type { Exec } from './ports/exec.js';
import type { Kube } from './ports/kube.js';
import type { Snapshots } from './ports/snapshots.js';
import type { ContractSchedule } from '../../src/contract/document.js';

export interface BackupOrder {
  readonly cluster: string;
  readonly schedule: string;
  readonly type: ContractSchedule['type'];
  readonly repository: number;
  readonly target: ContractSchedule['target'];
  /** Of VolumeSnapshots. */
  readonly snapshot?: { readonly keep: number; readonly className?: string };
}

/** An order for pgBackRest. */
export type RepositoryOrder = BackupOrder & { readonly type: BackupType };

export interface BackupPorts {
  readonly kube: Kube;
  readonly exec: Exec;
  readonly snapshots: Snapshots;
  readonly clock: Clock;
  readonly log: Log;
  /** For people who read the Job's log. */
  readonly say: (text: string) => void;
}

/** A backup as far as its own result goes. */
interface MadeBackup extends Pick<BackupFacts, 'label'> {
  readonly type: ContractSchedule['type'];
}

export type Outcome =
  | { readonly done: true; readonly backup: MadeBackup; readonly note: string | undefined }
  | { readonly done: false; readonly backup: MadeBackup | undefined; readonly failure: FailureStatus };

/** What came of the work. */
export interface Made {
  readonly member: string | undefined;
  readonly note?: string | undefined;
  readonly verdict: Outcome;
  /** What the repository holds now; undefined where it cannot be read. */
  readonly repository: () => Promise<RepositoryStatus | undefined>;
  /** All of the schedule that there are now. */
  readonly snapshots?: readonly SnapshotRecord[];
}

/** What differs between engines. */
export interface BackupWork {
  make(signal: AbortSignal): Promise<Made>;
}

export const failureOf = (kind: string, problem: string, fix: string): FailureStatus => ({ kind, problem, fix, detail: '' });

export function notMade(failure: FailureStatus, member?: string,
  repository: Made['repository'] = () => Promise.resolve(undefined)): Made {
  return { member, verdict: { done: false, backup: undefined, failure }, repository };
}
