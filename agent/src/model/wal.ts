/** WAL segments by name and number. */

export interface WalSegment {
  readonly timeline: number;
  /** Counts on across timelines: the first segment of a new one has the number of the last of the old one. */
  readonly number: number;
}

/** Where a timeline went over into the next one. */
export interface TimelineEnd {
  readonly timeline: number;
  /** The segment with the switch; the next timeline begins with its own copy of it. */
  readonly number: number;
  /** The place of the switch, in bytes: what lies behind it leads nowhere. */
  readonly place: number;
}

const hex = (text: string) => Number.parseInt(text, 16);

/** `1/2000028` -> bytes. NaN: it is none. Exact up to 8 PiB of log. */
export function placeOf(lsn: string): number {
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(lsn) ?? [];
  return high === undefined ? NaN : hex(high) * 0x1_0000_0000 + hex(low!);
}

/** How one server cuts its WAL, which is settled when it is made (`initdb --wal-segsize`). */
export class WalScale {
  private readonly perLog: number;

  constructor(private readonly segmentBytes: number) {
    this.perLog = 0x1_0000_0000 / segmentBytes;
  }

  /** As `SHOW wal_segment_size` has it in bytes: powers of two from 1 MiB to 1 GiB. */
  static parse(text: string): WalScale | undefined {
    const bytes = Number(text.trim());
    const isPower = Number.isInteger(Math.log2(bytes));
    return isPower && bytes >= 2 ** 20 && bytes <= 2 ** 30 ? new WalScale(bytes) : undefined;
  }

  segmentOf(name: string): WalSegment | undefined {
    const [, timeline, log, low] = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/.exec(name) ?? [];
    if (timeline === undefined) return undefined;
    return { timeline: hex(timeline), number: hex(log!) * this.perLog + hex(low!) };
  }

  nameOf({ timeline, number }: WalSegment): string {
    const part = (value: number) => value.toString(16).toUpperCase().padStart(8, '0');
    return `${part(timeline)}${part(Math.floor(number / this.perLog))}${part(number % this.perLog)}`;
  }

  /** Of the segment that holds this place. */
  numberAt(place: number): number {
    return Math.floor(place / this.segmentBytes);
  }

  /** Of a path in the archive; not of a part of a segment, which nothing is replayed from. */
  inPath(path: string): WalSegment | undefined {
    return this.segmentOf(/(?:^|\/)([0-9A-F]{24})-[0-9a-f]{40}(?:\.\w+)?$/.exec(path)?.[1] ?? '');
  }

  /** A timeline's history file: one line for each timeline before it. */
  parseHistory(text: string): TimelineEnd[] | undefined {
    const lines = text.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
    const ends = lines.map((line) => {
      const [, timeline, lsn] = /^(\d+)\s+(\S+)/.exec(line) ?? [];
      const place = placeOf(lsn ?? '');
      return Number.isNaN(place) ? undefined : { timeline: Number(timeline), number: this.numberAt(place), place };
    });
    return ends.every((end) => end !== undefined) ? ends as TimelineEnd[] : undefined;
  }
}

/** `00000003.history` -> 3. */
export function historyInPath(path: string): number | undefined {
  const [, timeline] = /(?:^|\/)([0-9A-F]{8})\.history$/.exec(path) ?? [];
  return timeline === undefined ? undefined : hex(timeline);
}

/** What lies in the archive of one database. */
export interface ArchiveListing {
  readonly scale: WalScale;
  readonly segments: readonly WalSegment[];
  /** Timelines before the newest one, and where each ended; `unknown` when its history could not be read. */
  readonly history: readonly TimelineEnd[] | 'unknown';
  readonly timeline: number;
}
