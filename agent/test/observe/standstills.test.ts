import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Log } from '../../src/log.js';
import type { MemberReport } from '../../src/model/facts.js';
import { Standstills, causeNow, parseForks, type Watching } from '../../src/observe/standstills.js';
import { SqlError, type SqlRow } from '../../src/ports/sql.js';
import { NAMES, report } from '../support/failover.js';
import { PRIMARY_REPORT, operations } from '../support/operations.js';

const FORKS = parseForks('[[1, 1000, "no recovery target specified", "2026-01-01T00:00:00+00:00", "orders-1-0"]]');
const PRIMARY: MemberReport = { ...PRIMARY_REPORT, timeline: 2, location: 5000 };
const STANDBY = NAMES[1];
const silent = (change: Partial<MemberReport>) => report(STANDBY, { streaming: false, timeline: 1, ...change });

test('a standby past the fork has diverged; one that stands before it has not', () => {
  assert.equal(causeNow(silent({ replayedLocation: 1001 }), PRIMARY, FORKS, undefined), 'diverged');
  assert.equal(causeNow(silent({ replayedLocation: 1000 }), PRIMARY, FORKS, undefined), 'still');
});

test('without the history of its timeline nobody counts as diverged', () => {
  assert.equal(causeNow(silent({ replayedLocation: 9999 }), PRIMARY, parseForks(undefined), undefined), 'still');
  assert.equal(causeNow(silent({ replayedLocation: 9999 }), PRIMARY, parseForks('no JSON'), undefined), 'still');
});

test('a standby that streams, replays, starts, does not answer, or is a primary gets on', () => {
  for (const [seen, before] of [
    [report(STANDBY, { timeline: 2 }), undefined], [silent({ replayedLocation: 900 }), 800],
    [silent({ state: 'starting' }), undefined], [silent({ state: 'creating replica' }), undefined], [undefined, undefined],
    [silent({ role: 'primary' }), undefined], [silent({ timeline: undefined }), undefined],
  ] as const) assert.equal(causeNow(seen, PRIMARY, FORKS, before), undefined);
});

test('a member whose PostgreSQL is down while nothing is under way has not started', () => {
  for (const state of ['stopped', 'crashed', 'start failed']) assert.equal(causeNow(silent({ state }), PRIMARY, FORKS, undefined), 'not-started');
});

function watcher(answer: () => object[]) {
  const sql: Watching['sql'] = {
    session: async (_place, _limitMs, work) => work({ query: async () => answer() as SqlRow[] }),
  };
  const standstills = new Standstills({ sql, log: new Log({}, () => undefined) });
  const other = report(NAMES[2], { timeline: 2 });
  const seen = (standby: MemberReport) => operations({ reports: [PRIMARY, standby, other] });
  return { standstills, look: (standby: MemberReport, atMs: number) => standstills.look(seen(standby), FORKS, atMs) };
}

const STILL = silent({ replayedLocation: 900 });

test('a standby that stands still is asked about only after a while, and the primary decides whether its WAL is gone', async () => {
  const { look } = watcher(() => [{ there: false }]);
  assert.deepEqual(await look(STILL, 0), []);
  assert.deepEqual(await look(STILL, 7_000), []);
  assert.deepEqual(await look(STILL, 8_000), [{ pod: STANDBY, uid: 'uid-2', cause: 'wal-gone', forMs: 0 }]);
});

test('WAL that is there, a primary that does not answer and a standby that reads the archive leave the cause open', async () => {
  const refuses = () => { throw new SqlError('primary', undefined, 'no answer'); };
  const cases: Array<[() => object[], MemberReport]> = [
    [() => [{ there: true }], STILL], [refuses, STILL], [() => [{ there: false }], { ...STILL, readsArchive: true }],
  ];
  for (const [answer, standby] of cases) {
    const { look } = watcher(answer);
    await look(standby, 0);
    assert.equal((await look(standby, 30_000))[0]?.cause, 'unclear');
  }
});

test('the time begins anew when a standby gets on in between, or when the primary is not to be seen', async () => {
  const { look, standstills } = watcher(() => [{ there: false }]);
  const diverged = silent({ replayedLocation: 1001 });
  await look(diverged, 0);
  assert.equal((await look(diverged, 5000))[0]?.forMs, 5000);
  await look(report(STANDBY, { timeline: 2 }), 6000);
  assert.equal((await look(diverged, 7000))[0]?.forMs, 0);
  assert.deepEqual(await standstills.look(operations({ reports: [diverged] }), FORKS, 8000), []);
  assert.equal((await look(diverged, 9000))[0]?.forMs, 0);
});
