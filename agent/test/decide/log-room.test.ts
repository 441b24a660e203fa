import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeWrites, lookAgainMs, reserveOf } from '../../src/decide/log-room.js';
import type { ArchiveStatus } from '../../src/model/backup-status.js';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const sample = (waiting: number, free?: number) => ({
  waitingBytes: waiting * MIB,
  freeBytes: free === undefined ? undefined : free * MIB,
  volumeBytes: free === undefined ? undefined : 1000 * MIB,
});

test('a tenth is kept free, but what a fast load writes between two looks, and no more than a gibibyte', () => {
  assert.equal(reserveOf(300 * MIB), 96 * MIB);
  assert.equal(reserveOf(5 * GIB), GIB / 2);
  assert.equal(reserveOf(1024 * GIB), GIB);
});

const EXAMPLES = [
  ['stop when the room is short and much waits', sample(500, 90), false, 'stop'],
  ['go on while there is room', sample(500, 101), false, 'keep'],
  ['go on when the volume is full of data, because stopping the log makes no room there', sample(10, 5), false, 'keep'],
  ['go on when nobody knows the room', sample(500), false, 'keep'],
  ['stay stopped until there is twice the reserve, because they would stop again at once', sample(300, 199), true, 'keep'],
  ['are allowed with room', sample(300, 201), true, 'allow'],
  ['are allowed when what waited has arrived, because what is full by then is not full of log', sample(10, 5), true, 'allow'],
  ['stay stopped when nobody knows the room', sample(300), true, 'keep'],
] as const;

for (const [what, given, areStopped, verdict] of EXAMPLES) {
  test(`writes ${what}`, () => assert.equal(judgeWrites(given, areStopped), verdict));
}

test('it is looked more often the nearer the end is, because a small volume fills within a minute', () => {
  const status = (fields: Partial<ArchiveStatus>): ArchiveStatus => ({ state: 'archiving', since: '', checkedAt: '', ...fields });
  assert.equal(lookAgainMs(status({})), 30_000);
  assert.equal(lookAgainMs(status({ state: 'failing' })), 5_000);
  const waits = { waitingBytes: 100 * MIB, volumeBytes: 1000 * MIB };
  assert.equal(lookAgainMs(status({ ...waits, freeBytes: 900 * MIB })), 5_000);
  assert.equal(lookAgainMs(status({ ...waits, freeBytes: 300 * MIB })), 2_000);
});
