/**
 * When writes have to stop so that the log of a primary, which waits for the archive, does not fill its volume. A full
 * volume ends the server, standbys give up their copies of the log before that, and whoever leads next has a gap in the
 * archive. Pure.
 */
import { MUCH_BYTES, type ArchiveSample } from '../model/archive.js';
import type { ArchiveStatus, WritesStopped } from '../model/backup-status.js';

const MIB = 1024 * 1024;
/** What a fast load writes between two looks, and what a large volume is not to leave unused. */
const RESERVE = { least: 96 * MIB, most: 1024 * MIB };
const LOOK_MS = { rest: 30_000, failing: 5_000, near: 2_000 };

/** What is kept free: a tenth, within limits. pgbackrest.sh gives up a standby's copies at half of it. */
export function reserveOf(volumeBytes: number): number {
  return Math.min(Math.max(volumeBytes / 10, RESERVE.least), RESERVE.most);
}

type Sample = Pick<ArchiveSample, 'waitingBytes' | 'freeBytes' | 'volumeBytes'>;
type Room = Pick<ArchiveStatus, 'state' | 'waitingBytes' | 'freeBytes' | 'volumeBytes'>;

/** `areStopped`: by the agent. What cannot be told changes nothing. */
export function judgeWrites(
  { waitingBytes, freeBytes, volumeBytes }: Sample, areStopped: boolean,
): 'stop' | 'allow' | 'keep' {
  // What is full by then is not full of log.
  if (areStopped && waitingBytes < MUCH_BYTES) return 'allow';
  if (freeBytes === undefined || volumeBytes === undefined) return 'keep';
  const reserve = reserveOf(volumeBytes);
  if (areStopped) return freeBytes > 2 * reserve ? 'allow' : 'keep';
  return waitingBytes >= MUCH_BYTES && freeBytes < reserve ? 'stop' : 'keep';
}

/** How soon to look again: a load that is fast fills a small volume within a minute. */
export function lookAgainMs({ state, waitingBytes = 0, freeBytes = Infinity, volumeBytes = 0 }: Room): number {
  if (freeBytes < 4 * reserveOf(volumeBytes)) return LOOK_MS.near;
  return state === 'failing' || waitingBytes >= MUCH_BYTES ? LOOK_MS.failing : LOOK_MS.rest;
}

export function explainStop(primary: string, at: Date, { waitingBytes, freeBytes = 0 }: Sample): WritesStopped {
  const mib = (bytes: number) => Math.round(bytes / MIB);
  return {
    at: at.toISOString(),
    problem: `The primary ${primary} takes no writes: ${mib(waitingBytes)} MiB of WAL wait for the archive, and its volume has ${mib(freeBytes)} MiB left.`,
    fix: 'Bring the storage back, or grow the volume (storage.size, or walSize). Writes are allowed by themselves when there is room.',
  };
}
