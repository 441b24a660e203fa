/**
 * Which snapshots of a schedule go. The newest ones stay, and the newest good one in any case: an older one may be all
 * that there is to recover from.
 */
import type { SnapshotRecord } from '../model/backup-status.js';

/** Newest first. */
export function byAge<T extends Pick<SnapshotRecord, 'name' | 'endedAt'>>(records: readonly T[]): T[] {
  return [...records].sort((one, two) => two.endedAt.localeCompare(one.endedAt) || two.name.localeCompare(one.name));
}

export function tooMany(records: readonly SnapshotRecord[], keep: number): SnapshotRecord[] {
  const newest = byAge(records);
  const lastGood = newest.find(({ good }) => good);
  // Without a good one nobody knows what is worth anything.
  return lastGood ? newest.slice(keep).filter((record) => record !== lastGood) : [];
}
