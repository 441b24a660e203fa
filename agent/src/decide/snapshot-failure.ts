/** Why there is no snapshot, in words that say what to do: from what the API, the driver or the member said. */
import type { FailureStatus } from '../model/backup-status.js';

interface Row {
  readonly kind: string;
  readonly text: RegExp;
  readonly problem: string;
  readonly fix: string;
  /** Waiting is of no use. */
  readonly lasting: boolean;
}

/** First match wins. */
export const SNAPSHOT_FAILURE_ROWS: readonly Row[] = [
  {
    kind: 'no-snapshot-api', text: /volumesnapshots: 404\b/, lasting: true,
    problem: 'The Kubernetes cluster has no VolumeSnapshots.',
    fix: 'Install the kinds and the controller of the external snapshotter, and a driver that makes snapshots. Backups into the repository need none of them.',
  },
  {
    kind: 'snapshot-quota', text: /exceeded quota|quota.*exceeded|ResourceExhausted|limit ?exceeded|too many snapshots/i, lasting: false,
    problem: 'There is no room for another snapshot.',
    fix: 'Raise the quota, or let the schedule keep fewer (keep).',
  },
  {
    kind: 'no-snapshot-class',
    text: /default snapshot class|no default class|snapshot ?class.*(?:not found|does not exist)|(?:failed to (?:get|retrieve)|cannot get) .*class/i, lasting: true,
    problem: 'There is no VolumeSnapshotClass for the volume.',
    fix: 'Name one that exists (className), or mark one of the volume\'s driver as the default: snapshot.storage.kubernetes.io/is-default-class.',
  },
  {
    kind: 'snapshots-unsupported', text: /does not support|not supported|Unimplemented|is not a CSI|only supports? CSI|does not have a CSI/i, lasting: true,
    problem: 'The driver of the volume makes no snapshots.',
    fix: 'Use a StorageClass whose driver does, or backups into the repository.',
  },
  {
    kind: 'not-allowed', text: /: 403\b/, lasting: true,
    problem: 'The Job may not do that.',
    fix: 'Apply the manifests as they were synthesized: the Role of the schedule is among them. A policy of the Kubernetes cluster may forbid it too.',
  },
  {
    kind: 'member-too-old', text: /snapshot\.py.*No such file/, lasting: true,
    problem: 'The member was started before it had the script for snapshots.',
    fix: 'Wait for the rolling change, or replace its Pod.',
  },
  {
    kind: 'standby-behind', text: /does not stream/, lasting: false,
    problem: 'The standby does not stream any more.',
    fix: 'The Job tries again, with another member if need be.',
  },
  {
    kind: 'tablespaces', text: /there are tablespaces/, lasting: true,
    problem: 'The database has tablespaces, which a snapshot of one volume does not hold.',
    fix: 'Drop them, or use backups into the repository.',
  },
  {
    kind: 'interrupted', text: /was asked to stop/, lasting: false,
    problem: 'The Job was ended before the snapshot was a backup.',
    fix: 'Was it deleted, or out of time? It tries again.',
  },
];

/** What only the Job itself knows. */
export const SNAPSHOT_PROBLEMS = {
  'backup-mode-lost': {
    problem: 'The member left backup mode before the snapshot was made.',
    fix: 'Was it restarted, or promoted? The Job tries again.',
  },
  'snapshot-not-made': {
    problem: 'The driver did not make the snapshot in time.',
    fix: 'Look at the VolumeSnapshot\'s events and the driver\'s log: is its controller running?',
  },
  'snapshot-not-ready': {
    problem: 'The snapshot was made, and was not ready to use in time.',
    fix: 'Look at the driver\'s log. Where the storage copies for long, let backups be further apart.',
  },
  'snapshot-gone': {
    problem: 'Somebody removed the VolumeSnapshot while it was being made.',
    fix: 'Find out who. The Job tries again.',
  },
  'snapshot-failed': { problem: 'The snapshot was not made.', fix: 'What was said is below; the driver\'s log has more.' },
  'timeline-abandoned': {
    problem: 'A failover has left behind what the snapshot holds, so no server could begin with it.',
    fix: 'The Job tries again, in a member of the new timeline.',
  },
  'archive-timeout': {
    problem: 'The write-ahead log of the snapshot did not reach the archive in time.',
    fix: 'Look at archive.json in the status: the archive has to work before a snapshot can count.',
  },
} as const;

export type SnapshotProblem = keyof typeof SNAPSHOT_PROBLEMS;

const DETAIL_LENGTH = 400;

const detailOf = (said: string) => said.replace(/\s+/g, ' ').trim().slice(0, DETAIL_LENGTH);

export function snapshotProblem(kind: SnapshotProblem, said = ''): FailureStatus {
  return { kind, ...SNAPSHOT_PROBLEMS[kind], detail: detailOf(said) };
}

/** What was said, or else the kind that the Job knows. */
export function explainSnapshot(said: string, otherwise: SnapshotProblem = 'snapshot-failed'): FailureStatus {
  const row = SNAPSHOT_FAILURE_ROWS.find(({ text }) => text.test(said));
  if (!row) return snapshotProblem(otherwise, said);
  return { kind: row.kind, problem: row.problem, fix: row.fix, detail: detailOf(said) };
}

/** The driver tries again by itself; some things it will say again for ever. */
export function isLasting(said: string): boolean {
  return SNAPSHOT_FAILURE_ROWS.find(({ text }) => text.test(said))?.lasting ?? false;
}
