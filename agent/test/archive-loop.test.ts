import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { ArchiveLoop } from '../src/archive-loop.js';
import type { Hands } from '../src/execute/executor.js';
import { Log } from '../src/log.js';
import { LeapingClock } from './support/leaping-clock.js';
import { contract } from './support/operations.js';
import { readArchiveStatus, type ArchiveStatus } from '../src/model/backup-status.js';
import type { ContractReading } from '../src/model/contract.js';
import type { DecisionRecord } from '../src/model/status.js';
import type { Store } from '../src/observe/store.js';
import type { KubeObject } from '../src/ports/kube.js';
import { SqlError, type SqlRow } from '../src/ports/sql.js';

const BACKUP = { stanza: 'db' as const, repositories: [{ key: 1, storage: 's3://x' }], schedules: [], archiveTimeoutSeconds: 60 };
const MIB = 1024 * 1024;

/** A primary that archives each file within a second of the server's clock. */
class Primary {
  up = true;
  storage: 'works' | 'refuses' = 'works';
  configured = true;
  archivedAt: number | null = null;
  failedAt: number | null = null;
  waitingBytes = 0;
  freeBytes = 600 * MIB;
  isReadOnly = false;
  switches = 0;
  aheadMs = 0;
  readonly asked: string[] = [];

  constructor(private readonly clock: LeapingClock) {}

  query(text: string): SqlRow[] {
    this.asked.push(text);
    if (text.includes('pg_switch_wal')) this.switched();
    if (text.includes('pg_stat_archiver')) return [this.row()];
    if (text.includes('pg_read_binary_file')) return [{ error: Buffer.from("49\nunable to connect to 's3.test:443'").toString('base64') }];
    if (text.startsWith('SELECT words')) return [{ free: String(this.freeBytes), size: String(1000 * MIB) }];
    if (text.startsWith('ALTER SYSTEM')) this.isReadOnly = text.includes("'on'");
    return [];
  }

  private get now(): number {
    return (this.clock.wall().getTime() + this.aheadMs) / 1000;
  }

  private switched(): void {
    this.switches += 1;
    if (this.configured && this.storage === 'works') this.archivedAt = this.now + 1;
  }

  private row(): SqlRow {
    if (this.storage === 'refuses') this.failedAt = this.now;
    return {
      read_only: this.isReadOnly,
      standby: false, now: String(this.now), mode: 'always', configured: this.configured,
      archived: this.archivedAt === null ? null : '000000010000000000000001', archived_at: this.archivedAt,
      failed: this.failedAt === null ? null : '000000010000000000000002', failed_at: this.failedAt, failed_count: '1',
      files: String(this.waitingBytes / (16 * MIB)), bytes: String(this.waitingBytes), written_at: this.archivedAt,
    };
  }
}

function world(change: { readonly backup?: object; readonly holds?: boolean } = { backup: BACKUP }) {
  const clock = new LeapingClock();
  const primary = new Primary(clock);
  const objects = new Map<string, KubeObject>([
    ['orders-leader', { metadata: { name: 'orders-leader', annotations: { leader: 'orders-1-0' } } }],
    ['orders-1-0', { metadata: { name: 'orders-1-0' }, status: { podIP: '10.0.0.1' } }],
  ]);
  const store = { current: true, get: (name: string) => objects.get(name) } as unknown as Store;
  const written: ArchiveStatus[] = [];
  const told: DecisionRecord[] = [];
  const stop = new AbortController();
  let looks = 0;
  const sql: Hands['sql'] = {
    session: (_, __, work) => {
      looks += 1;
      if (!primary.up) return Promise.reject(new SqlError('10.0.0.1', undefined, 'no answer'));
      return work({ query: (text) => Promise.resolve(primary.query(text)) });
    },
  };
  const holder = { holds: change.holds ?? true };
  const contracted: { backup: object | undefined } = { ...contract(), backup: change.backup };
  const reading = { ok: true, document: contracted } as unknown as ContractReading;
  const loop = () => new ArchiveLoop({
    stores: { pods: store, dcs: store, requests: store }, hands: { clock, sql, pods: () => [objects.get('orders-1-0')!] } as unknown as Hands,
    reading: () => reading, holdsLease: () => holder.holds, log: new Log({}, () => undefined),
    told: (record) => void told.push(record), lacks: () => undefined,
    writer: {
      section: (key, text) => {
        objects.set('orders-status', { metadata: { name: 'orders-status' }, data: { [key]: text } });
        written.push(readArchiveStatus(objects.get('orders-status'))!);
        return Promise.resolve();
      },
    },
  });
  const first = loop();
  /** Lets the loop turn for this long, by its own clock. */
  const forward = async (milliseconds: number, of = first) => {
    const end = clock.now + milliseconds;
    const halt = new AbortController();
    stop.signal.addEventListener('abort', () => halt.abort());
    const running = of.run(halt.signal);
    while (clock.now < end) await new Promise((resolve) => setImmediate(resolve));
    halt.abort();
    await running;
  };
  return { clock, primary, objects, contracted, written, told, holder, forward, loop, looks: () => looks };
}

test('a new cluster is made to send its first file, and counts as archiving when it has arrived', async () => {
  const { forward, primary, written, told } = world();
  await forward(60_000);
  assert.deepEqual(written.map(({ state }) => state).slice(0, 2), ['waiting', 'archiving']);
  assert.equal(primary.switches, 1);
  assert.deepEqual(told.map(({ ruleId }) => ruleId), ['archive-works']);
  assert.match(told[0]!.because, /first WAL file/);
});

test('as long as the configuration is not in the member, nothing is sent and nothing counts', async () => {
  const { forward, primary, written } = world();
  primary.configured = false;
  primary.archivedAt = 1;
  await forward(60_000);
  assert.equal(primary.switches, 0);
  assert.equal(written.at(-1)!.firstArchivedAt, undefined);
  primary.configured = true;
  await forward(60_000);
  assert.equal(written.at(-1)!.state, 'archiving');
});

test('a storage that is away is told once with its reason and once when it is back', async () => {
  const { forward, primary, told, written } = world();
  await forward(60_000);
  primary.storage = 'refuses';
  await forward(600_000);
  primary.storage = 'works';
  primary.archivedAt = primary.failedAt! + 1;
  await forward(60_000);
  assert.deepEqual(told.map(({ ruleId, done }) => [ruleId, done]), [['archive-works', true], ['archive-fails', false], ['archive-works', true]]);
  assert.match(told[1]!.because, /cannot be reached.*Check the endpoint/);
  assert.equal(written.find(({ state }) => state === 'failing')!.failure!.kind, 'unreachable');
});

test('a clock of the primary that was set is told once, and once that it is right, because moments are by that clock', async () => {
  const { forward, primary, told, written } = world();
  await forward(60_000);
  primary.aheadMs = 150_000;
  await forward(300_000);
  assert.equal(written.at(-1)!.clock!.offsetSeconds, 150);
  assert.equal(written.at(-1)!.state, 'archiving');
  primary.aheadMs = 0;
  await forward(300_000);
  assert.equal(written.at(-1)!.clock, undefined);
  assert.deepEqual(told.map(({ ruleId, done }) => [ruleId, done]).slice(1), [['clock-differs', false], ['clock-agrees', true]]);
});

test('the room on the volume is looked at only while much waits, because it starts a process', async () => {
  const { forward, primary, written } = world();
  await forward(60_000);
  assert.ok(!primary.asked.some((text) => text.includes('PROGRAM')));
  primary.waitingBytes = 80 * MIB;
  await forward(120_000);
  assert.equal(written.at(-1)!.freeBytes, 600 * MIB);
  assert.equal(primary.asked.filter((text) => text === 'BEGIN').length, primary.asked.filter((text) => text === 'ROLLBACK').length);
});

/** The volume was about to be full of log that waits. */
async function stopped() {
  const made = world();
  const { forward, primary } = made;
  await forward(60_000);
  primary.storage = 'refuses';
  primary.waitingBytes = 500 * MIB;
  primary.freeBytes = 90 * MIB;
  await forward(60_000);
  assert.equal(primary.isReadOnly, true);
  return made;
}

test('writes stop before the log fills the volume, and go on by themselves, because a full one ends the server', async () => {
  const { forward, primary, told, written } = await stopped();
  assert.deepEqual(written.at(-1)!.readOnlyMembers, ['orders-1-0']);
  assert.match(written.at(-1)!.writesStopped!.problem, /500 MiB of WAL wait .* 90 MiB left/);
  primary.storage = 'works';
  primary.archivedAt = primary.failedAt! + 1;
  primary.waitingBytes = 0;
  await forward(60_000);
  assert.equal(primary.isReadOnly, false);
  assert.ok(primary.asked.includes('CHECKPOINT'), 'without a checkpoint nothing is removed');
  assert.deepEqual([written.at(-1)!.writesStopped, written.at(-1)!.readOnlyMembers], [undefined, undefined]);
  const rules = told.map(({ ruleId }) => ruleId).filter((rule) => rule.startsWith('writes'));
  assert.deepEqual(rules, ['writes-stopped', 'writes-allowed']);
});

test('a server that a person made read-only stays so, because the agent undoes only what it did', async () => {
  const { forward, primary, written } = world();
  primary.isReadOnly = true;
  await forward(300_000);
  assert.equal(primary.isReadOnly, true);
  assert.equal(written.at(-1)!.writesStopped, undefined);
});

test('the next leader of the agent allows the writes that the one before had stopped', async () => {
  const { forward, primary, loop } = await stopped();
  primary.waitingBytes = 0;
  await forward(60_000, loop());
  assert.equal(primary.isReadOnly, false);
});

test('writes are allowed when the backup is taken out of the manifest, because nothing waits any more', async () => {
  const { forward, primary, contracted, objects } = await stopped();
  contracted.backup = undefined;
  await forward(60_000);
  assert.equal(primary.isReadOnly, false);
  assert.equal(readArchiveStatus(objects.get('orders-status'))!.readOnlyMembers, undefined);
});

test('at rest the status is written every ten minutes at the most', async () => {
  const { forward, written, looks } = world();
  await forward(60_000);
  const before = written.length;
  await forward(3_600_000);
  assert.ok(written.length - before <= 7, `${written.length - before} writes in an hour`);
  assert.ok(looks() <= 150, `${looks()} sessions in an hour`);
});

test('a primary that cannot be asked makes the archive unknown, not broken', async () => {
  const { forward, primary, written, told } = world();
  await forward(60_000);
  primary.up = false;
  await forward(120_000);
  const { state, firstArchivedAt, failure } = written.at(-1)!;
  assert.equal(state, 'unknown');
  assert.ok(firstArchivedAt);
  assert.equal(failure, undefined);
  assert.equal(told.length, 1);
});

test('the next leader of the agent goes on from what is written, and forces no second first file', async () => {
  const { forward, primary, loop, told, written } = world();
  await forward(60_000);
  await forward(60_000, loop());
  assert.equal(primary.switches, 1);
  assert.equal(told.length, 1);
  assert.equal(written.at(-1)!.state, 'archiving');
});

for (const [what, change] of [['without a storage', {}], ['without the Lease', { backup: BACKUP, holds: false }]] as const) {
  test(`${what} nobody is asked`, async () => {
    const { forward, looks, written } = world(change);
    await forward(120_000);
    assert.deepEqual([looks(), written.length], [0, 0]);
  });
}
