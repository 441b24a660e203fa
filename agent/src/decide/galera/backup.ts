/**
 * In which member of a Galera cluster a backup is made, and what can be recovered. From what members say of themselves
 * and from what their archive lists. A member that does not answer is not chosen; one that is behind is not either.
 */
import type { FailureStatus, RepositoryStatus } from '../../model/backup-status.js';
import type { ArchiveFacts, GaleraBackupFacts, PlaceFacts } from '../../model/galera/archive.js';
import { explainFailure } from '../backup-failure.js';

export type PlaceChoice =
  | { readonly pod: string; readonly note: string | undefined }
  | { readonly pod: undefined; readonly why: string };

/** Not the writer, since a backup costs disk and CPU; the last one of the others, so that it is mostly the same. */
export function choosePlace(places: readonly PlaceFacts[]): PlaceChoice {
  const synced = places.filter((place) => place.synced);
  const chosen = synced.filter((place) => !place.writer).at(-1);
  if (chosen) return { pod: chosen.pod, note: undefined };
  const writer = synced.at(-1);
  if (writer) return { pod: writer.pod, note: 'no other member is in step, so the backup runs in the one that takes writes' };
  return { pod: undefined, why: 'no member is in step with the group' };
}

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

function windowFields({ backups, replays }: ArchiveFacts): Partial<RepositoryStatus> {
  const newest = replays.at(-1);
  if (!newest) return { why: 'there is no backup' };
  // From the oldest backup on that leads as far as the newest one without a gap.
  const oldest = replays.find((replay) => replay.gapAfter === newest.gapAfter && replay.ends >= newest.ends) ?? newest;
  const gap = replays.map(({ gapAfter }) => gapAfter).filter((after) => after !== undefined).at(-1);
  return {
    window: {
      startsAt: iso(oldest.starts), endsAt: iso(newest.ends),
      oldestBackup: oldest.label, newestBackup: backups.at(-1)!.label,
    },
    ...(gap === undefined ? {} : { gap }),
  };
}

/** The archive as the status shows it. */
export function galeraRepository(archive: ArchiveFacts, at: Date, listed: number): RepositoryStatus {
  const record = ({ label, startedAt, endedAt, sizeBytes, storedBytes }: GaleraBackupFacts) => ({
    label, type: 'full' as const, good: true, startedAt, endedAt, sizeBytes, storedBytes, buildsOn: [],
  });
  return {
    checkedAt: at.toISOString(),
    ...windowFields(archive),
    backups: archive.backups.map(record).reverse().slice(0, listed),
  };
}

/** Why a backup was not made, from the last line that the script printed. */
export type ScriptFailure = Pick<FailureStatus, 'kind' | 'problem' | 'fix'>;

/** What the script says itself; the storage's words are the same for all engines. */
const KINDS: ReadonlyArray<{ readonly pattern: RegExp } & ScriptFailure> = [
  {
    pattern: /belongs to another cluster/, kind: 'other-cluster',
    problem: 'The archive belongs to another cluster.', fix: 'Give this one a prefix of its own; nothing was written.',
  },
  {
    pattern: /another backup runs/, kind: 'busy', problem: 'Another backup runs in the member.', fix: 'Wait for its end.',
  },
  {
    pattern: /has no value for/, kind: 'secret-missing', problem: 'A Secret has no value yet.', fix: 'Fill the Secret that the detail names.',
  },
];

/** The cause in words that lead to what to do. */
export function explainScript(output: string): ScriptFailure {
  const found = KINDS.find(({ pattern }) => pattern.test(output)) ?? explainFailure(undefined, output);
  if (found.kind !== 'other') return { kind: found.kind, problem: found.problem, fix: found.fix };
  return { kind: 'other', problem: 'No backup was made.', fix: 'Look at the detail; the Job tries again.' };
}
