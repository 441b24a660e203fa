import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAbandoned, missingWal, recoveryWindow, type Needed } from '../../src/decide/recovery-window.js';
import type { ArchiveListing } from '../../src/model/wal.js';
import { archive, backup, ended, repository, SCALE } from '../support/backups.js';

/** A backup that begins in this segment, and ends ten seconds after its number in hundreds. */
const at = (label: string, number: number, change = {}) => backup(label, {
  walStart: SCALE.nameOf({ timeline: 1, number }), walStop: SCALE.nameOf({ timeline: 1, number }),
  stoppedAt: number * 100 + 10,
  ...change,
});
const A = at('A', 2);
const B = at('B', 5);
const onTwo = (label: string, number: number) => at(label, number, { walStart: SCALE.nameOf({ timeline: 2, number }) });

interface Example {
  readonly what: string;
  readonly backups?: ReturnType<typeof at>[];
  readonly listing: ArchiveListing | 'unknown';
  /** Oldest and newest backup, missing segment; or why there is no window. */
  readonly expected: readonly [string, string, string | undefined] | RegExp;
}

const SWITCH_IN_4 = [ended(1, 4)];

const EXAMPLES: readonly Example[] = [
  { what: 'reaches from the end of the oldest backup', listing: archive({ 1: [2, 3, 4, 5, 6, 7] }), expected: ['A', 'B', undefined] },
  { what: 'does not care about WAL before the oldest backup, which expiry takes away', listing: archive({ 1: [0, 2, 3, 4, 5] }), expected: ['A', 'B', undefined] },
  { what: 'begins after a gap, because nothing is replayed across one', listing: archive({ 1: [2, 3, 5, 6] }), expected: ['B', 'B', '000000010000000000000004'] },
  { what: 'is none when the gap comes after the newest backup', listing: archive({ 1: [2, 3, 4, 5, 7] }), expected: /all WAL after it/ },
  { what: 'is none without a backup', backups: [], listing: archive({ 1: [2] }), expected: /no good backup/ },
  { what: 'does not count a damaged backup', backups: [at('A', 2, { damaged: true }), B], listing: archive({ 1: [2, 3, 4, 5] }), expected: ['B', 'B', undefined] },
  { what: 'does not count backups of the database before a major upgrade', backups: [at('A', 2, { databaseId: 0 }), B], listing: archive({ 1: [5] }), expected: ['B', 'B', undefined] },
  { what: 'is unknown while the archive cannot be listed', listing: 'unknown', expected: /could not be listed/ },
  { what: 'goes on over a failover', listing: archive({ 1: [2, 3], 2: [4, 5, 6] }, SWITCH_IN_4), backups: [A, onTwo('B', 5)], expected: ['A', 'B', undefined] },
  { what: 'does not take what an old primary wrote after the failover for the segment of the new one', listing: archive({ 1: [2, 3, 4, 5, 6], 2: [5, 6] }, SWITCH_IN_4), backups: [A], expected: /all WAL after it/ },
  { what: 'has no backup of an abandoned timeline', listing: archive({ 1: [2, 3, 4, 5, 6], 2: [4, 5, 6] }, SWITCH_IN_4), backups: [A, B], expected: ['A', 'A', undefined] },
  { what: 'is unknown without the history of the timelines', listing: archive({ 1: [2, 3], 2: [4] }, 'unknown'), expected: /history/ },
  {
    what: 'goes on over two failovers within one segment',
    listing: archive({ 1: [2, 3], 3: [4, 5] }, [ended(1, 4), ended(2, 4)]), backups: [A], expected: ['A', 'A', undefined],
  },
  {
    what: 'ends on the old timeline while nothing of the new one has arrived',
    listing: { ...archive({ 1: [2, 3] }, SWITCH_IN_4), timeline: 2 }, backups: [A], expected: ['A', 'A', undefined],
  },
];

for (const { what, backups = [A, B], listing, expected } of EXAMPLES) {
  test(`the window ${what}`, () => {
    const reading = recoveryWindow(repository(backups), listing);
    if (expected instanceof RegExp) {
      assert.equal(reading.window, undefined);
      assert.match('why' in reading ? reading.why : '', expected);
      return;
    }
    const { window, gap } = reading;
    assert.deepEqual([window?.oldestBackup, window?.newestBackup, gap], expected);
  });
}

test('the window begins when the oldest backup ended, because a restore cannot stop earlier', () => {
  const { window } = recoveryWindow(repository([A, B]), archive({ 1: [2, 3, 4, 5] }));
  assert.deepEqual([window?.startsAt, window?.endsAt], [210, 510]);
});

test('a gap that nothing can be replayed over is named also when there is no window', () => {
  const reading = recoveryWindow(repository([A]), archive({ 1: [2, 4] }));
  assert.equal(reading.gap, '000000010000000000000003');
});

/** Of a snapshot that begins and ends in the middle of these segments of one timeline, or behind the switch there. */
function needed(first: number, last: number, { timeline = 1, behind = false } = {}): Needed {
  const lsn = (number: number) => `0/${(number * 2 ** 24 + (behind ? 0xC00000 : 0x400000)).toString(16).toUpperCase()}`;
  const wal = (number: number) => SCALE.nameOf({ timeline, number });
  return { startWal: wal(first), startLsn: lsn(first), stopWal: wal(last), stopLsn: lsn(last) };
}
const FAILED_OVER = archive({ 1: [2, 3], 2: [4, 5, 6] }, SWITCH_IN_4);

test('the last file of a timeline is never finished, so the copy of the next one counts for a snapshot that ends or begins in it', () => {
  assert.deepEqual([missingWal(FAILED_OVER, needed(3, 4)), isAbandoned(FAILED_OVER, needed(3, 4))], [undefined, false]);
  assert.deepEqual([missingWal(FAILED_OVER, needed(4, 4)), isAbandoned(FAILED_OVER, needed(4, 4))], [undefined, false]);
});

test('a snapshot with what a failover has left behind is abandoned, because no server gets from there to the newest timeline', () => {
  assert.equal(isAbandoned(FAILED_OVER, needed(3, 4, { behind: true })), true, 'in the segment of the switch');
  assert.equal(isAbandoned(FAILED_OVER, needed(3, 5)), true, 'in a later one');
  assert.equal(isAbandoned(archive({ 1: [2], 3: [3, 4] }, [ended(1, 3)]), needed(4, 4, { timeline: 2 })), true, 'a timeline that is not among the forebears');
});

test('while the history is not known nothing is called abandoned, and nothing is taken for complete', () => {
  const unknown = archive({ 1: [2, 3], 2: [4] }, 'unknown');
  assert.equal(isAbandoned(unknown, needed(3, 5)), false);
  assert.equal(missingWal(unknown, needed(2, 3)), SCALE.nameOf({ timeline: 1, number: 3 }));
});

test('the first segment that is not there is named, of the timeline that leads on', () => {
  const missing = (first: number, segments: Record<number, number[]>) =>
    missingWal(archive(segments, SWITCH_IN_4), needed(first, 5, { timeline: 2 }));
  assert.equal(missing(2, { 1: [2], 2: [4, 5] }), SCALE.nameOf({ timeline: 1, number: 3 }));
  assert.equal(missing(3, { 1: [2, 3], 2: [5] }), SCALE.nameOf({ timeline: 2, number: 4 }));
});
