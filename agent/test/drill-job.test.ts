import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DrillReport } from '../../src/contract/drill.js';
import { DrillSocket } from '../src/adapters/drill-socket.js';
import { EXIT } from '../src/backup-job.js';
import { explainDrill } from '../src/decide/drill-failure.js';
import { judgeDrill, recoveredUpTo, type DrillOrder } from '../src/decide/drill-verdict.js';
import { DrillJob } from '../src/drill-job.js';
import { readDrillOrder } from '../src/drill-main.js';
import { Log } from '../src/log.js';
import { FakeKube } from './support/fake-kube.js';
import { LeapingClock } from './support/leaping-clock.js';
import type { ArchiveStatus } from '../src/model/backup-status.js';
import { readDrillStatus } from '../src/model/drill-status.js';
import type { KubeObject } from '../src/ports/kube.js';

const ORDER: DrillOrder = { cluster: 'orders', drill: 'default', target: 'newest', repository: 1 };
const STARTED = 1_795_500_000;
const RECOVERED = { lsn: '0/5000000', timeline: 1, wal: '000000010000000000000004', lastCommitAt: STARTED - 3600 };
const REPORT: DrillReport = {
  startedAt: STARTED, endedAt: STARTED + 90, backup: '20261124-020000F', lsn: null, restoreSeconds: 20.04, replaySeconds: 5.5, recoveredAt: STARTED + 26,
  sizeBytes: 7_000_000, recovered: RECOVERED,
  checksums: 'passed', amcheck: 'passed', checks: [{ name: 'rows', passed: true, got: 'true' }], failures: [],
};
const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const ARCHIVE: ArchiveStatus = {
  state: 'archiving', since: iso(STARTED), checkedAt: iso(STARTED),
  lastArchivedWal: '000000010000000000000004', archivedUpTo: iso(STARTED + 14),
};

function world(messages: readonly unknown[], aborted = false) {
  const kube = new FakeKube();
  const said: string[] = [];
  kube.put('configmaps', { metadata: { name: 'orders-contract', uid: 'u-1' } });
  kube.put('configmaps', { metadata: { name: 'orders-status' }, data: { 'archive.json': JSON.stringify(ARCHIVE), 'status.json': '{}' } });
  const stop = new AbortController();
  async function* feed() {
    for (const message of messages) yield message;
    if (aborted) stop.abort();
  }
  const ports = { kube, clock: new LeapingClock(), log: new Log({}, () => undefined), namespace: 'shop', say: (text: string) => void said.push(text), feed: { messages: feed } };
  return {
    kube, said,
    run: (order: Partial<DrillOrder> = {}) => new DrillJob(ports, { ...ORDER, ...order }).run(stop.signal),
    result: (name = 'default') => readDrillStatus(kube.objects.get('configmaps/orders-status'))!.drills[name]!,
    events: () => [...kube.objects].filter(([key]) => key.startsWith('events/')).map(([, object]) => object as KubeObject & { reason: string; type: string; message: string }),
  };
}

test('a good drill is in the status with its figures, as an Event, and as exit code 0', async () => {
  const { run, result, events, kube } = world([{ step: 'restore' }, { step: 'checks' }, { report: REPORT }]);
  assert.equal(await run(), EXIT.done);
  assert.deepEqual(result(), {
    done: true, startedAt: iso(STARTED), endedAt: iso(STARTED + 90), repository: 1, target: 'newest', backup: '20261124-020000F',
    sizeBytes: 7_000_000, checksums: 'passed', amcheck: 'passed',
    recovered: { lsn: '0/5000000', wal: '000000010000000000000004', upTo: iso(STARTED + 14) },
    rpoSeconds: 12, rtoSeconds: 25.5, restoreSeconds: 20, replaySeconds: 5.5, checks: { rows: 'passed' }, lastGoodAt: iso(STARTED + 90),
  });
  const [event] = events();
  assert.deepEqual([event!.reason, event!.type], ['RestoreDrillPassed', 'Normal']);
  assert.match(event!.message, /20261124-020000F was restored, writable after 25.5 s \(RTO\), at most the last 12 s would have been lost/);
  assert.equal((kube.objects.get('configmaps/orders-status') as { data?: Record<string, string> }).data!['status.json'], '{}', 'what others wrote stays');
});

test('a check that fails names itself and what it got, and the last good drill is remembered', async () => {
  const good = world([{ report: REPORT }]);
  await good.run();
  const failing = world([{ report: { ...REPORT, checks: [{ name: 'rows', passed: false, got: 'false' }, { name: 'fresh', passed: false, got: 'no row' }] } }]);
  failing.kube.put('configmaps', good.kube.objects.get('configmaps/orders-status')!);
  assert.equal(await failing.run(), EXIT.failed);
  const { done, failure, alsoFailed, checks, lastGoodAt } = failing.result();
  assert.deepEqual([done, failure!.kind, failure!.detail, alsoFailed, checks, lastGoodAt], [
    false, 'check-failed', 'rows: false', ['check-failed: fresh: no row'], { rows: 'failed: false', fresh: 'failed: no row' }, iso(STARTED + 90),
  ]);
  assert.deepEqual([failing.events()[0]!.reason, failing.events()[0]!.type], ['RestoreDrillFailed', 'Warning']);
});

const LOST: ReadonlyArray<readonly [string, readonly unknown[], boolean, string]> = [
  ['a process that dies in the middle', [{ step: 'restore' }, { step: 'replay' }], false, 'drill-died'],
  ['a container that never starts', [], false, 'drill-not-started'],
  ['a Pod that is taken away', [{ step: 'replay' }], true, 'interrupted'],
];

for (const [what, messages, aborted, kind] of LOST) {
  test(`${what} is told of, because a drill that says nothing looks like one that is not due`, async () => {
    const { run, result, events } = world(messages, aborted);
    assert.equal(await run(), EXIT.failed);
    assert.equal(result().failure!.kind, kind);
    assert.equal(events()[0]!.reason, 'RestoreDrillFailed');
  });
}

test('drills of one cluster do not write over each other', async () => {
  const { run, result } = world([{ report: REPORT }]);
  await run();
  await run({ drill: 'any', target: 'random' });
  assert.equal(result().done, true);
  assert.equal(result('any').rpoSeconds, undefined, 'a random position says nothing about loss');
});

const then = (status: ArchiveStatus | undefined, timeoutSeconds?: number) => ({ status, timeoutSeconds });

test('in a cluster where nobody writes the loss stays small, because all that was committed has been sent', () => {
  const idle: ArchiveStatus = { ...ARCHIVE, waitingFiles: 0, checkedAt: iso(STARTED + 4000) };
  assert.equal(recoveredUpTo(REPORT, then(idle, 60)), STARTED + 4000 - 70);
  assert.equal(recoveredUpTo(REPORT, then({ ...idle, waitingFiles: 1 }, 60)), STARTED + 14, 'something waits');
  assert.equal(recoveredUpTo(REPORT, then({ ...idle, state: 'failing' }, 60)), STARTED + 14);
});

test('how much is lost counts from the archive only where recovery came to its end, because else commits are missing', () => {
  assert.equal(recoveredUpTo(REPORT, then(ARCHIVE)), STARTED + 14);
  assert.equal(recoveredUpTo(REPORT, then({ ...ARCHIVE, lastArchivedWal: '000000010000000000000005' })), STARTED - 3600);
  assert.equal(recoveredUpTo(REPORT, then(undefined)), STARTED - 3600);
  assert.equal(recoveredUpTo({ ...REPORT, recovered: undefined } as unknown as DrillReport, then(ARCHIVE)), undefined);
});

const SAID: ReadonlyArray<readonly [string, string, number | undefined, string]> = [
  ['access', 'Secret s3 has no value for key AWS_ACCESS_KEY_ID', undefined, 'drill-access'],
  ['no-backup', '', undefined, 'no-backup'],
  ['repository', '[ProtocolError] HTTP request failed with 403 (Forbidden): <Code>SignatureDoesNotMatch</Code>', undefined, 'wrong-credentials'],
  ['repository', 'ERROR: [049]: unable to connect to s3.test:443', 49, 'unreachable'],
  ['restore', 'ERROR: [041]: unable to write "/pgdata/pg17/base/1": [28] No space left on device', 41, 'drill-volume-full'],
  ['restore', 'ERROR: [055]: unable to open missing file "/shop/orders/backup/db/a/b" for read', 55, 'backup-damaged'],
  ['replay', 'FATAL:  recovery ended before configured recovery target was reached', 1, 'archive-gap'],
  ['replay', 'PANIC:  could not locate a valid checkpoint record', 1, 'recovery-failed'],
  ['deadline', 'replay: everest: 00000002.history cannot be read from the archive yet', undefined, 'drill-timeout'],
  ['amcheck', 'btree index "app.public.t_v_idx": ERROR: item order invariant violated', 2, 'amcheck-failed'],
  ['checksums', 'pg_checksums: error: checksum verification failed', 1, 'checksums-failed'],
  ['restore', 'ERROR: [025]: something new', 25, 'restore-failed'],
  ['repository', 'SignatureDoesNotMatch: The key does not fit, status code: 403, request id: 1', undefined, 'wrong-credentials'],
  ['repository', 'Get "https://s3.test": dial tcp 10.0.0.1:443: i/o timeout', undefined, 'unreachable'],
  ['restore', 'OSError: backup 20261127T070000Z could not be read (mbstream, zstd, rclone: [1, 1, 3])', undefined, 'backup-damaged'],
  ['gap', 'what follows 0-42 is missing', undefined, 'archive-gap'],
  ['replay', 'the server did not take a transaction (client ended with 1)', undefined, 'recovery-failed'],
  ['tables', 'app.orders check error Corrupt', undefined, 'tables-damaged'],
  ['pages', 'app/orders.ibd: Fail: page 3 invalid', 1, 'checksums-failed'],
];

for (const [stage, text, exitCode, kind] of SAID) {
  test(`${stage} with ${JSON.stringify(text.slice(0, 60))} is called ${kind}`, () => {
    const failure = explainDrill({ stage, text, ...(exitCode === undefined ? {} : { exitCode }) });
    assert.equal(failure.kind, kind);
    assert.ok(failure.fix.length > 20);
  });
}

test('a drill without a commit in the log and without an agent measures no loss instead of guessing one', () => {
  const { lastCommitAt: _, ...recovered } = RECOVERED;
  assert.equal(judgeDrill(ORDER, { ...REPORT, recovered }, then(undefined)).rpoSeconds, undefined);
});

test('a drill of MariaDB measures its loss by what the archive says of itself', () => {
  const { amcheck: _, ...common } = REPORT;
  const report: DrillReport = { ...common, recovered: { gtid: '0-1-77,2-5-3', upTo: STARTED + 20 }, tables: 'passed' };
  const result = judgeDrill(ORDER, report, then(undefined));
  assert.deepEqual(result.recovered, { gtid: '0-1-77,2-5-3', upTo: iso(STARTED + 20) });
  assert.deepEqual([result.rpoSeconds, result.tables, result.done], [6, 'passed', true]);
});

test('the socket gives each line, and ends with whoever wrote', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'drill-')), 'report.sock');
  const messages = new DrillSocket(path).messages(5_000, new AbortController().signal);
  const writing = (async () => {
    for (;;) {
      const socket = connect(path);
      const up = await new Promise<boolean>((resolve) => void socket.once('connect', () => resolve(true)).once('error', () => resolve(false)));
      if (!up) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        continue;
      }
      socket.end('{"step":"restore"}\n{"step":"replay"}\n');
      return;
    }
  })();
  const got: unknown[] = [];
  for await (const message of messages) got.push(message);
  await writing;
  assert.deepEqual(got, [{ step: 'restore' }, { step: 'replay' }]);
});

test('nobody on the socket in time is an end, and so is a signal to stop', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'drill-'));
  const all = async (limitMs: number, signal: AbortSignal) => {
    for await (const message of new DrillSocket(join(folder, 'x.sock')).messages(limitMs, signal)) assert.fail(String(message));
  };
  await all(20, new AbortController().signal);
  await all(60_000, AbortSignal.timeout(20));
});

test('an order that is not whole is refused with what was given', () => {
  assert.deepEqual(readDrillOrder(['--cluster', 'orders', '--drill', 'any', '--target', 'random', '--repository', '2']), { cluster: 'orders', drill: 'any', target: 'random', repository: 2 });
  assert.throws(() => readDrillOrder(['--cluster', 'orders', '--drill', 'any', '--target', 'oldest', '--repository', '2']), /oldest.*no order of a drill/);
});
