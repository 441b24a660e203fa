/** Why a restore drill failed, in words that say what to do. */
import { explainFailure } from './backup-failure.js';
import type { DrillFact } from '../../../src/contract/drill.js';
import type { FailureStatus } from '../model/backup-status.js';

interface Row {
  readonly kind: string;
  /** Steps of the drill's script that the row is about. */
  readonly stages: readonly string[];
  readonly text?: RegExp;
  readonly problem: string;
  readonly fix: string;
}

const REPLAYING = ['restore', 'replay', 'amcheck', 'tables', 'checks'];

/** First match wins. */
export const DRILL_FAILURE_ROWS: readonly Row[] = [
  {
    kind: 'drill-access', stages: ['access'],
    problem: 'What the drill needs to read the storage is missing.',
    fix: 'Fill what the detail names; the next drill reads it.',
  },
  {
    kind: 'no-backup', stages: ['no-backup'],
    problem: 'There is no good backup in the repository, so nothing could be restored.',
    fix: 'See backup.json in the status for why, and make one: kubectl everest backup.',
  },
  {
    kind: 'drill-volume-full', stages: REPLAYING, text: /No space left on device|disk quota exceeded/i,
    problem: 'The volume of the drill is full.',
    fix: 'Give the drill more storage (storageSize): it holds the database and the log that is replayed.',
  },
  {
    kind: 'backup-damaged', stages: ['restore'], text: /does not match expected checksum|unable to open missing file|missing file|ChecksumError|FormatError|backup \S+ could not be read|holds another number of bytes/,
    problem: 'Files of the backup are missing or damaged in the repository: it cannot be restored.',
    fix: 'Make a full backup now, and find out who changed the bucket. Older backups may be whole: look with a drill of random targets.',
  },
  {
    kind: 'archive-gap', stages: ['gap'],
    problem: 'A part of the binary log is missing in the archive: what was committed after it cannot be restored.',
    fix: 'See gap in backup.json. What is before the gap can be restored; a new full backup begins a new window.',
  },
  {
    kind: 'archive-gap', stages: ['replay'], text: /recovery ended before configured recovery target|could not find redo location|WAL ends before (?:end of online backup|consistent recovery point)/,
    problem: 'The write-ahead log in the archive ends before the position that was to be reached: a part of it is missing.',
    fix: 'See gap in backup.json. What is before the gap can be restored; a new full backup begins a new window.',
  },
  {
    kind: 'recovery-failed', stages: ['replay'],
    problem: 'The server could not be brought up on the restored files, or did not take what was written after the backup.',
    fix: 'Its last words are in the detail, and more of them in the log of the Pod.',
  },
  {
    kind: 'drill-timeout', stages: ['deadline'],
    problem: 'The drill was not done before its deadline.',
    fix: 'The detail names the step. Give it more time (deadline) or CPU; where the storage did not answer, see archive.json.',
  },
  {
    kind: 'check-failed', stages: ['checks'],
    problem: 'A check of the restored data was not answered with true.',
    fix: 'Ask the same of the cluster: either the data were not in the backup, or the check is wrong.',
  },
  {
    kind: 'amcheck-failed', stages: ['amcheck'],
    problem: 'pg_amcheck found damage in tables or indexes of the copy, or could not look.',
    fix: 'Run pg_amcheck in the cluster too. An index is made anew by REINDEX; a damaged table that only the copy has is a damaged backup.',
  },
  {
    kind: 'checksums-failed', stages: ['checksums'],
    problem: 'Pages of the copy have wrong checksums.',
    fix: 'Compare with the cluster: pg_amcheck there, and the columns checksum_failures of pg_stat_database. Keep older backups until that is clear.',
  },
  {
    kind: 'tables-damaged', stages: ['tables'],
    problem: 'CHECK TABLE found damage in tables or indexes of the copy, or could not look.',
    fix: 'Run CHECK TABLE in the cluster too. A secondary index is made anew by OPTIMIZE TABLE; a damaged table that only the copy has is a damaged backup.',
  },
  {
    kind: 'checksums-failed', stages: ['pages'],
    problem: 'Pages of the copy have wrong checksums.',
    fix: 'Run CHECK TABLE on the table of that name in the cluster. Keep older backups until that is clear.',
  },
  {
    kind: 'drill-died', stages: ['died'],
    problem: 'The process that restored ended without a word.',
    fix: 'Mostly it is memory: kubectl describe pod names the reason. Give the drill more (resources).',
  },
  {
    kind: 'drill-not-started', stages: ['not-started'],
    problem: 'The container that restores did not start.',
    fix: 'kubectl describe pod says why: an image that cannot be pulled, or a volume that cannot be made.',
  },
  {
    kind: 'interrupted', stages: ['interrupted'],
    problem: 'The drill was ended from outside before it was done.',
    fix: 'Was its node drained, its Job deleted, or the Job\'s deadline over?',
  },
];

const OTHER = { kind: 'restore-failed', problem: 'The backup could not be restored.', fix: 'What the program said is in the detail, and more in the log of the Pod.' };
const DETAIL_LENGTH = 600;

/** What stands in the status of a program's output: a line, and nothing that would spoil it. */
function detailOf(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').replace(/ {2,}/g, ' ').trim().slice(-DETAIL_LENGTH);
}

/** Where the storage is in the way, a drill says the same as a backup does. */
function ofStorage({ exitCode, text }: DrillFact): FailureStatus {
  const known = explainFailure(exitCode, text);
  return known.kind === 'other' ? { ...OTHER, detail: known.detail } : known;
}

export function explainDrill(fact: DrillFact): FailureStatus {
  const row = DRILL_FAILURE_ROWS
    .find(({ stages, text }) => stages.includes(fact.stage) && (text?.test(fact.text) ?? true));
  return row ? { kind: row.kind, problem: row.problem, fix: row.fix, detail: detailOf(fact.text) } : ofStorage(fact);
}
