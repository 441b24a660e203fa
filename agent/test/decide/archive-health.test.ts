import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeArchive, unknownArchive, withArchive } from '../../src/decide/archive-health.js';
import { judge } from '../../src/decide/health.js';
import { NOTHING_REMEMBERED, type ArchiveMemory, type ArchiveSample } from '../../src/model/archive.js';
import type { ArchiveStatus } from '../../src/model/backup-status.js';
import { NAMES, pod } from '../support/failover.js';
import { contract, operations } from '../support/operations.js';

const NOW = Date.UTC(2026, 0, 1, 12);
const AGO = (seconds: number) => NOW - seconds * 1000;
const MIB = 1024 * 1024;

const sample = (change: Partial<ArchiveSample> = {}): ArchiveSample => ({
  serverNow: NOW, configured: true, enabled: true,
  lastArchivedWal: '000000010000000000000007', lastArchivedAt: AGO(10),
  lastFailedWal: undefined, lastFailedAt: undefined,
  failedCount: 0, waitingFiles: 0, waitingBytes: 0, archivedUpTo: AGO(12), error: undefined,
  freeBytes: undefined, volumeBytes: undefined, isReadOnly: false,
  ...change,
});
const KNOWN: ArchiveMemory = { ...NOTHING_REMEMBERED, firstArchivedAt: AGO(3600), configuredAt: AGO(7200) };

interface Example {
  readonly what: string;
  readonly given: Partial<ArchiveSample>;
  readonly memory?: ArchiveMemory;
  readonly state: ArchiveStatus['state'];
  readonly kind?: string;
}

const LATER = NOW + 150_000;
const BEFORE = { failedCount: 3, lastArchivedWal: '000000010000000000000007' };
const FAILED = { lastFailedWal: '000000010000000000000008', lastFailedAt: AGO(5) };

const EXAMPLES: readonly Example[] = [
  { what: 'works when the last file arrived', given: {}, state: 'archiving' },
  { what: 'works again when a file arrived after one that did not', given: { ...FAILED, lastFailedAt: AGO(60) }, state: 'archiving' },
  { what: 'fails when the last try did, without an answer while pgBackRest has said nothing', given: FAILED, state: 'failing', kind: 'unreachable' },
  { what: 'fails when nothing has ever arrived and a try failed', given: { ...FAILED, lastArchivedAt: undefined }, memory: NOTHING_REMEMBERED, state: 'failing', kind: 'unreachable' },
  { what: 'fails for the reason that pgBackRest left', given: { ...FAILED, error: "49\nunable to connect to 's3.test:443'" }, state: 'failing', kind: 'unreachable' },
  { what: 'fails with a wrong key otherwise than with a storage that is away', given: { ...FAILED, error: '103\nrepo1: [ProtocolError] HTTP request failed with 403 (Forbidden):\n<Code>InvalidAccessKeyId</Code>' }, state: 'failing', kind: 'wrong-credentials' },
  { what: 'fails for the reason of before while pgBackRest tries again', given: FAILED, memory: { ...KNOWN, error: { text: '39\n<Code>NoSuchBucket</Code>', at: AGO(50) } }, state: 'failing', kind: 'missing-bucket' },
  { what: 'fails without an answer when the reason of before is long gone, because pgBackRest is quick to say what it is refused', given: FAILED, memory: { ...KNOWN, error: { text: '39\n<Code>NoSuchBucket</Code>', at: AGO(70) } }, state: 'failing', kind: 'unreachable' },
  { what: 'waits after a failover, when this server has sent nothing yet', given: { lastArchivedAt: undefined }, state: 'waiting' },
  { what: 'waits while PostgreSQL does not archive, and says so', given: { enabled: false }, state: 'waiting', kind: 'archiving-off' },
  { what: 'waits for its first file although files were given up before there was a storage', given: { lastArchivedAt: AGO(30) }, memory: { ...NOTHING_REMEMBERED, configuredAt: AGO(20) }, state: 'waiting' },
  { what: 'waits for its first file until the configuration is in the member', given: { configured: false }, memory: NOTHING_REMEMBERED, state: 'waiting' },
  { what: 'fails when a try did, although the last file arrived later by a clock that was set back meanwhile', given: { ...FAILED, lastArchivedAt: LATER, failedCount: 4 }, memory: { ...KNOWN, state: 'archiving', seen: BEFORE }, state: 'failing', kind: 'unreachable' },
  { what: 'works when a file arrived, although the last failure is later by a clock that was set back meanwhile', given: { ...FAILED, lastFailedAt: LATER, failedCount: 3, lastArchivedWal: '000000010000000000000008' }, memory: { ...KNOWN, state: 'failing', seen: BEFORE }, state: 'archiving' },
  { what: 'goes on failing when nothing has arrived since a clock was set back', given: { ...FAILED, lastFailedAt: LATER, failedCount: 3 }, memory: { ...KNOWN, state: 'failing', seen: BEFORE }, state: 'failing', kind: 'unreachable' },
  { what: 'works from its first file on', given: {}, memory: { ...NOTHING_REMEMBERED, configuredAt: AGO(20) }, state: 'archiving' },
];

for (const { what, given, memory = KNOWN, state, kind } of EXAMPLES) {
  test(`the archive ${what}`, () => {
    const { status } = judgeArchive(sample(given), memory);
    assert.deepEqual([status.state, status.failure?.kind], [state, kind]);
  });
}

test('a first look never counts as the handshake, because a file may have been given up unsent', () => {
  const first = judgeArchive(sample(), NOTHING_REMEMBERED);
  assert.equal(first.status.firstArchivedAt, undefined);
  const second = judgeArchive(sample({ serverNow: NOW + 5000, lastArchivedAt: NOW + 3000 }), first.memory);
  assert.equal(second.status.firstArchivedAt, new Date(NOW + 3000).toISOString());
});

function after(minutes: number, bytesEachMinute: number, freeBytes: number | undefined) {
  let memory = KNOWN;
  let view = judgeArchive(sample(), memory);
  for (let minute = 0; minute <= minutes; minute += 0.5) {
    const serverNow = NOW + minute * 60_000;
    const waitingBytes = minute * bytesEachMinute;
    view = judgeArchive(sample({ serverNow, waitingBytes, freeBytes, ...FAILED, lastFailedAt: serverNow }), memory);
    memory = view.memory;
  }
  return { ...view.status, memory };
}

test('the fill of the volume is forecast from the rate of the last minutes', () => {
  const { fullAt } = after(20, 100 * MIB, 1000 * MIB);
  assert.equal(fullAt, new Date(NOW + 30 * 60_000).toISOString());
});

for (const [what, minutes, bytes, free] of [
  ['without the room that there is', 20, 100 * MIB, undefined], ['while nothing grows', 20, 0, 1000 * MIB],
  ['before there is a rate', 0, 100 * MIB, 1000 * MIB], ['for longer than a month', 20, 1024, 1e15],
] as const) {
  test(`nothing is forecast ${what}, because a guess would be believed`, () => assert.equal(after(minutes, bytes, free).fullAt, undefined));
}

test('of the past only the last minutes are remembered', () => assert.ok(after(120, MIB, undefined).memory.waiting.length <= 21));

test('the state has the time since when it is so', () => {
  const { since } = after(20, MIB, undefined);
  assert.equal(since, new Date(NOW).toISOString());
});

test('when nobody can be asked, what is known of the past stays and nothing is said about now', () => {
  const { status } = judgeArchive(sample(), KNOWN);
  const unknown = unknownArchive(status, KNOWN, NOW + 1000).status;
  assert.equal(unknown.state, 'unknown');
  assert.equal(unknown.firstArchivedAt, status.firstArchivedAt);
  assert.equal(unknown.waitingBytes, undefined);
});

const HEALTHY = { phase: 'Healthy' as const, why: 'all members stream' };
const statusOf = (given: Partial<ArchiveSample>, memory = KNOWN) => judgeArchive(sample(given), memory).status;

test('a cluster whose WAL does not arrive is not healthy, and says what to do', () => {
  const { phase, why } = withArchive(HEALTHY, statusOf({ ...FAILED, error: '49\nunable to connect' }));
  assert.equal(phase, 'Degraded');
  assert.match(why, /WAL does not reach the archive\. The storage cannot be reached.*Check the endpoint/);
});

test('a cluster is not healthy before its first WAL file has arrived', () => {
  for (const archive of [undefined, statusOf({ lastArchivedAt: undefined }, NOTHING_REMEMBERED)]) {
    assert.equal(withArchive(HEALTHY, archive).phase, 'Degraded');
  }
});

test('a cluster stays healthy while its archive works, rests after a failover, or cannot be asked', () => {
  const working = statusOf({});
  const resting = statusOf({ lastArchivedAt: undefined });
  for (const archive of [working, resting, unknownArchive(working, KNOWN, NOW).status]) {
    assert.equal(withArchive(HEALTHY, archive).phase, 'Healthy');
  }
});

test('what is worse than the archive is told first', () => {
  assert.deepEqual(withArchive({ phase: 'NoPrimary', why: 'nobody holds the lease' }, undefined), { phase: 'NoPrimary', why: 'nobody holds the lease' });
});

test('the archive counts only where the contract has a storage', () => {
  const status = {
    state: 'running', role: undefined, timeline: 1, streaming: true, location: 1, pendingRestart: [], apiUrl: undefined,
  };
  const pods = NAMES.map((name) => pod(name, { status }));
  const backup = { stanza: 'db' as const, repositories: [], schedules: [], archiveTimeoutSeconds: 60 };
  const phase = (change: object) => judge(operations({ pods, ...change })).phase;
  assert.equal(phase({}), 'Healthy');
  assert.equal(phase({ contract: { ...contract(), backup } }), 'Degraded');
  assert.equal(phase({ contract: { ...contract(), backup }, archive: statusOf({}) }), 'Healthy');
});
