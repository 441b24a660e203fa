/**
 * From which moments on a cluster can be brought back: a good backup, and WAL from it to the newest without a gap.
 */
import type { SnapshotFacts } from '../../../src/contract/snapshot.js';
import type { BackupFacts, RepositoryFacts } from '../model/pgbackrest.js';
import { placeOf, type ArchiveListing, type TimelineEnd, type WalScale, type WalSegment } from '../model/wal.js';

export interface RecoveryWindow {
  /** Seconds since 1970: the end of the oldest backup that counts. */
  readonly startsAt: number;
  /** The end of the newest one. Later moments are in the archive too; info tells of none of them. */
  readonly endsAt: number;
  readonly oldestBackup: string;
  readonly newestBackup: string;
}

export type WindowReading =
  | { readonly window: RecoveryWindow; readonly gap: string | undefined }
  | { readonly window: undefined; readonly gap: string | undefined; readonly why: string };

const none = (why: string, gap?: string): WindowReading => ({ window: undefined, gap, why });

/** The way from the first timeline to the newest: which one a segment has to be of. */
class Chain {
  private readonly ends: readonly TimelineEnd[];
  private readonly present: ReadonlySet<string>;
  readonly scale: WalScale;

  constructor(listing: ArchiveListing, private readonly newestTimeline: number) {
    const ends = listing.history === 'unknown' ? [] : [...listing.history];
    this.ends = ends.sort((one, two) => one.number - two.number || one.timeline - two.timeline);
    this.scale = listing.scale;
    this.present = new Set(listing.segments.map((segment) => this.scale.nameOf(segment)));
  }

  at(number: number): WalSegment {
    const end = this.ends.find((candidate) => number < candidate.number);
    return { timeline: end?.timeline ?? this.newestTimeline, number };
  }

  has(number: number): boolean {
    return this.present.has(this.scale.nameOf(this.at(number)));
  }

  /** What came after a switch on an abandoned timeline leads nowhere. */
  isOn({ timeline, number }: WalSegment): boolean {
    return this.at(number).timeline === timeline;
  }

  /** The same of a place: also in the segment with the switch, of which the next timeline has a copy up to there. */
  leadsOnFrom(timeline: number, place: number): boolean {
    const end = this.ends.find((candidate) => candidate.timeline === timeline);
    return end ? place <= end.place : timeline === this.newestTimeline;
  }
}

/** From where WAL goes on to the newest segment without a gap. */
function unbrokenFrom(chain: Chain, segments: readonly WalSegment[]): number | undefined {
  const numbers = segments.filter((segment) => chain.isOn(segment)).map(({ number }) => number);
  if (numbers.length === 0) return undefined;
  let first = numbers.reduce((most, number) => Math.max(most, number));
  while (chain.has(first - 1)) first -= 1;
  return first;
}

function isUsable(backup: BackupFacts, chain: Chain, first: number): boolean {
  const segment = chain.scale.segmentOf(backup.walStart);
  return segment !== undefined && chain.isOn(segment) && segment.number >= first && chain.has(segment.number);
}

function overOne(backups: readonly BackupFacts[], listing: ArchiveListing): WindowReading {
  const chain = new Chain(listing, listing.timeline);
  const first = unbrokenFrom(chain, listing.segments);
  if (first === undefined) return none('no WAL of the newest timeline is in the archive');
  const usable = backups.filter((backup) => isUsable(backup, chain, first));
  // Before the first backup nobody needs WAL, and expiry takes it away.
  const needsEarlier = backups.some(({ walStart }) => (chain.scale.segmentOf(walStart)?.number ?? first) < first);
  const gap = needsEarlier ? chain.scale.nameOf(chain.at(first - 1)) : undefined;
  const [oldest, newest] = [usable[0], usable.at(-1)];
  if (!oldest || !newest) return none('no backup has all WAL after it in the archive', gap);
  const window = {
    startsAt: oldest.stoppedAt, endsAt: newest.stoppedAt, oldestBackup: oldest.label, newestBackup: newest.label,
  };
  return { window, gap };
}

/** The log that a snapshot needs. */
export type Needed = Pick<SnapshotFacts, 'startWal' | 'startLsn' | 'stopWal' | 'stopLsn'>;

/** A failover has left behind what the snapshot holds: no server gets from there to the newest timeline. */
export function isAbandoned(listing: ArchiveListing, { startWal, startLsn, stopWal, stopLsn }: Needed): boolean {
  const chain = new Chain(listing, listing.timeline);
  const timelineOf = (wal: string) => chain.scale.segmentOf(wal)?.timeline ?? 0;
  const leadsOn = (wal: string, lsn: string) => chain.leadsOnFrom(timelineOf(wal), placeOf(lsn));
  return listing.history !== 'unknown' && !(leadsOn(startWal, startLsn) && leadsOn(stopWal, stopLsn));
}

/**
 * The first segment that is not there of those that the snapshot needs; undefined: all are. Where a timeline ended in
 * one of them, the copy of the next timeline counts: nobody ever finishes the old one.
 */
export function missingWal(listing: ArchiveListing, { startLsn, stopWal }: Needed): string | undefined {
  const chain = new Chain(listing, listing.timeline);
  const [first, stop] = [chain.scale.numberAt(placeOf(startLsn)), chain.scale.segmentOf(stopWal)];
  if (!stop || Number.isNaN(first) || listing.history === 'unknown') return stopWal;
  for (let number = first; number <= stop.number; number += 1) {
    if (!chain.has(number)) return chain.scale.nameOf(chain.at(number));
  }
  return undefined;
}

/** The archive that a restore would use. */
export function currentArchive({ archives }: RepositoryFacts): RepositoryFacts['archives'][number] | undefined {
  return [...archives].sort((one, two) => two.databaseId - one.databaseId)[0];
}

export function recoveryWindow(repository: RepositoryFacts, listing: ArchiveListing | 'unknown'): WindowReading {
  const archive = currentArchive(repository);
  const ofArchive = repository.backups.filter(({ databaseId }) => databaseId === archive?.databaseId);
  const backups = ofArchive.filter(({ damaged }) => !damaged);
  if (backups.length === 0) return none('there is no good backup');
  if (listing === 'unknown') return none('the archive could not be listed');
  if (listing.history === 'unknown') return none('the history of the timelines could not be read from the archive');
  return overOne(backups, listing);
}
