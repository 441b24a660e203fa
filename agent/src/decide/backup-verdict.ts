/** Whether a backup was made. pgBackRest's word is not enough: the repository has to show it. */
import { explainFailure } from './backup-failure.js';
import type { FailureStatus } from '../model/backup-status.js';
import type { BackupFacts, BackupType, RepositoryFacts } from '../model/pgbackrest.js';

export interface BackupRun {
  readonly wanted: BackupType;
  /** Undefined: the connection to the command was lost. */
  readonly exitCode: number | undefined;
  /** What it printed, or why nothing more was heard of it. */
  readonly output: string;
  /** The label that it printed. */
  readonly label: string | undefined;
  readonly before: RepositoryFacts;
  readonly after: RepositoryFacts | 'unknown';
  /** The primary has changed meanwhile: from, to. */
  readonly movedTo?: string;
}

export type Verdict =
  | { readonly done: true; readonly backup: BackupFacts; readonly note: string | undefined }
  | { readonly done: false; readonly backup: BackupFacts | undefined; readonly failure: FailureStatus };

type Reason = Omit<FailureStatus, 'detail'>;

function failed(run: BackupRun, reason: Reason, backup?: BackupFacts): Verdict {
  return { done: false, backup, failure: { ...reason, detail: explainFailure(undefined, run.output).detail } };
}

function newBackup({ before, after, label }: BackupRun): BackupFacts | undefined {
  if (after === 'unknown') return undefined;
  const known = new Set(before.backups.map((backup) => backup.label));
  const fresh = after.backups.filter((backup) => !known.has(backup.label));
  return label === undefined ? fresh.at(-1) : fresh.find((backup) => backup.label === label);
}

function withoutBackup(run: BackupRun): Verdict {
  if (run.movedTo !== undefined) {
    return failed(run, {
      kind: 'primary-changed',
      problem: `The primary changed to ${run.movedTo} during the backup, which ends a backup.`,
      fix: 'The Job tries again on the new primary.',
    });
  }
  if (run.exitCode === 0) {
    return failed(run, {
      kind: 'not-in-repository',
      problem: 'pgBackRest reported success, and the repository does not list the backup.',
      fix: 'Do not rely on it. Look at the bucket: does something remove what is written there?',
    });
  }
  return { done: false, backup: undefined, failure: explainFailure(run.exitCode, run.output) };
}

function judgeFound(run: BackupRun, backup: BackupFacts): Verdict {
  const { exitCode, wanted } = run;
  if (backup.damaged) {
    return failed(run, {
      kind: 'damaged-pages',
      problem: `Backup ${backup.label} holds pages whose checksum is wrong.`,
      fix: 'The database itself is damaged: find the relations with amcheck or pg_checksums, and keep older backups.',
    }, backup);
  }
  if (wanted === 'full' && backup.type !== 'full') {
    return failed(run, {
      kind: 'wrong-type',
      problem: `A full backup was asked for, and ${backup.label} is ${backup.type}.`,
      fix: 'Nothing is lost. Run it again.',
    }, backup);
  }
  if (exitCode !== undefined && exitCode !== 0) {
    const known = explainFailure(exitCode, run.output);
    const problem = `Backup ${backup.label} is complete, and removing old ones failed. ${known.problem}`;
    return { done: false, backup, failure: { ...known, problem } };
  }
  return { done: true, backup, note: noteOn(run, backup) };
}

function noteOn({ exitCode, wanted }: BackupRun, backup: BackupFacts): string | undefined {
  if (backup.type !== wanted) return `there was no full backup to build on, so this one is ${backup.type}`;
  return exitCode === undefined ? 'the connection to pgBackRest was lost; the repository shows the backup' : undefined;
}

export function judgeBackup(run: BackupRun): Verdict {
  if (run.after === 'unknown') {
    const known = run.exitCode === 0 ? undefined : explainFailure(run.exitCode, run.output);
    if (known && known.kind !== 'other') return { done: false, backup: undefined, failure: known };
    return failed(run, {
      kind: 'unverified',
      problem: 'The repository could not be read after the backup, so nobody knows whether it is there.',
      fix: 'It does not count. Run it again when the storage answers.',
    });
  }
  const backup = newBackup(run);
  return backup ? judgeFound(run, backup) : withoutBackup(run);
}

/** What somebody else had begun before, when it is what is wanted. */
export function backupOfAnother(
  wanted: BackupType, before: RepositoryFacts, after: RepositoryFacts,
): BackupFacts | undefined {
  const known = new Set(before.backups.map(({ label }) => label));
  const fits = ({ label, type, damaged }: BackupFacts) => !known.has(label) && !damaged && (type === wanted || type === 'full');
  return after.backups.findLast(fits);
}

/** Exit codes that mean the same as codes of `info`: nothing there (1, 3), another database (5). */
const EXIT_OF_STATUS: Readonly<Record<number, number>> = { 1: 55, 3: 55, 5: 58 };

/** What stands against a backup before it begins. */
export function obstacle(before: RepositoryFacts | 'unknown', output: string): FailureStatus | undefined {
  if (before === 'unknown') return explainFailure(undefined, output);
  if (before.busy) return explainFailure(50, 'pgBackRest says that a backup runs there already');
  // No valid backup yet (2) is how each repository begins.
  if (before.code === 0 || before.code === 2) return undefined;
  return explainFailure(EXIT_OF_STATUS[before.code], before.message);
}
