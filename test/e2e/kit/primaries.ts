/**
 * Did two members ever take writes at the same time? Told from what clients saw: which member acknowledged on which
 * timeline, and when. All clocks are the one of the machine that the testbed runs on.
 */

/** What the writers keep for each member and timeline that acknowledged. Seconds on a clock that all writers share. */
export interface ServerSeen {
  readonly server: string;
  readonly timeline: number;
  readonly count: number;
  /** When the first acknowledgement came in. */
  readonly firstEnd: number;
  /** When the last acknowledged statement was sent. */
  readonly lastStart: number;
}

/** The same member and timeline, seen by several clients, as one. */
export function merged(seen: readonly ServerSeen[]): ServerSeen[] {
  const all = new Map<string, ServerSeen>();
  for (const one of seen) {
    const key = `${one.server} ${one.timeline}`;
    const other = all.get(key) ?? one;
    all.set(key, {
      ...one,
      count: other === one ? one.count : other.count + one.count,
      firstEnd: Math.min(one.firstEnd, other.firstEnd),
      lastStart: Math.max(one.lastStart, other.lastStart),
    });
  }
  return [...all.values()].sort((a, b) => a.timeline - b.timeline || a.firstEnd - b.firstEnd);
}

/**
 * Sentences that prove two primaries; empty when there is no proof. A proof is one timeline on two members, or a
 * statement that the older timeline took after the newer one had acknowledged. A statement that was sent before and
 * answered late proves nothing: whether its row is there is for the row count to say.
 */
export function twoPrimaries(seen: readonly ServerSeen[]): string[] {
  const servers = merged(seen);
  return servers.flatMap((older, index) => servers.slice(index + 1).flatMap((newer) => conflict(older, newer)));
}

function conflict(older: ServerSeen, newer: ServerSeen): string[] {
  if (older.server === newer.server) return [];
  if (older.timeline === newer.timeline) return [`${older.server} and ${newer.server} both acknowledged on timeline ${older.timeline}`];
  const late = older.lastStart - newer.firstEnd;
  if (late <= 0) return [];
  return [`${older.server} (timeline ${older.timeline}) took a row ${late.toFixed(3)} s after ${newer.server} (timeline ${newer.timeline}) had acknowledged one`];
}

/** Timelines that acknowledged, oldest first: one more for each change of the primary. */
export function timelinesOf(seen: readonly ServerSeen[]): number[] {
  return [...new Set(merged(seen).map(({ timeline }) => timeline))];
}
