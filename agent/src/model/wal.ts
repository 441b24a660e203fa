/** WAL segments by name and number, as PostgreSQL cuts them into 16 MiB. */

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
}

const SEGMENT_BYTES = 16 * 1024 * 1024;
const PER_LOG = 0x1_0000_0000 / SEGMENT_BYTES;

const hex = (text: string) => Number.parseInt(text, 16);

export function segmentOf(name: string): WalSegment | undefined {
  const [, timeline, log, low] = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/.exec(name) ?? [];
  return timeline === undefined ? undefined : { timeline: hex(timeline), number: hex(log!) * PER_LOG + hex(low!) };
}

export function segmentName({ timeline, number }: WalSegment): string {
  const part = (value: number) => value.toString(16).toUpperCase().padStart(8, '0');
  return `${part(timeline)}${part(Math.floor(number / PER_LOG))}${part(number % PER_LOG)}`;
}

/** Of a path in the archive; not of a part of a segment, which nothing is replayed from. */
export function segmentInPath(path: string): WalSegment | undefined {
  return segmentOf(/(?:^|\/)([0-9A-F]{24})-[0-9a-f]{40}(?:\.\w+)?$/.exec(path)?.[1] ?? '');
}

/** `00000003.history` -> 3. */
export function historyInPath(path: string): number | undefined {
  const [, timeline] = /(?:^|\/)([0-9A-F]{8})\.history$/.exec(path) ?? [];
  return timeline === undefined ? undefined : hex(timeline);
}

/** A timeline's history file: one line for each timeline before it. */
export function parseHistory(text: string): TimelineEnd[] | undefined {
  const lines = text.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  const ends = lines.map((line) => {
    const [, timeline, high, low] = /^(\d+)\s+([0-9A-F]+)\/([0-9A-F]+)/i.exec(line) ?? [];
    if (timeline === undefined) return undefined;
    return { timeline: Number(timeline), number: hex(high!) * PER_LOG + Math.floor(hex(low!) / SEGMENT_BYTES) };
  });
  return ends.every((end) => end !== undefined) ? ends as TimelineEnd[] : undefined;
}

/** What lies in the archive of one database. */
export interface ArchiveListing {
  readonly segments: readonly WalSegment[];
  /** Timelines before the newest one, and where each ended; `unknown` when its history could not be read. */
  readonly history: readonly TimelineEnd[] | 'unknown';
  readonly timeline: number;
}
