import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackupJob, EXIT } from '../src/backup-job.js';
import { OrderError, readOrder } from '../src/backup-order.js';
import type { BackupOrder } from '../src/backup-work.js';
import { Log } from '../src/log.js';
import { INFO } from './support/backups.js';
import { FakeExec, type Printing } from './support/fake-exec.js';
import { FakeKube } from './support/fake-kube.js';
import { FakeSnapshots } from './support/fake-snapshots.js';
import { LeapingClock } from './support/leaping-clock.js';
import { contract } from './support/operations.js';
import { readBackupStatus } from '../src/model/backup-status.js';
import type { ExecEnd } from '../src/ports/exec.js';
import { KubeError, type KubeObject } from '../src/ports/kube.js';

const ORDER: BackupOrder = { cluster: 'orders', schedule: 'nightly', type: 'full', repository: 1, target: 'primary' };
const BACKUP = { stanza: 'db', repositories: [{ key: 1, storage: 'main' }], schedules: [], archiveTimeoutSeconds: 60 } as const;
const HASH = 'bbf44ea2039dbaf78bb80d681b03907db4fc2302';
const NEW = '20261124-020000F';

interface Stanza {
  readonly backup: Array<Record<string, unknown>>;
  readonly status: { lock: { backup: { held: boolean } } };
  readonly repo: Array<{ status: { code: number; message: string } }>;
}

function info(change: (stanza: Stanza) => void = () => undefined): Printing {
  const stanzas = JSON.parse(INFO) as Stanza[];
  change(stanzas[0]!);
  return { lines: [JSON.stringify(stanzas)] };
}

const withNew = (stanza: Stanza) => stanza.backup.push({
  ...stanza.backup[0], label: NEW, timestamp: { start: 1795500000, stop: 1795500060 },
  archive: { start: '000000010000000000000007', stop: '000000010000000000000007' },
});
const broken = (message: string) => (stanza: Stanza) => { stanza.repo[0]!.status = { code: 99, message }; };

const pod = (name: string) => ({
  metadata: { name, uid: name }, status: { podIP: '10.0.0.1', phase: 'Running', containerStatuses: [{ name: 'postgres', state: { running: {} } }] },
});

function world(order: Partial<BackupOrder> = {}, change: object = { backup: BACKUP }) {
  const [kube, exec, clock] = [new FakeKube(), new FakeExec(), new LeapingClock()];
  const said: string[] = [];
  kube.put('configmaps', { metadata: { name: 'orders-contract' }, data: { 'contract.json': JSON.stringify({ ...contract(), ...change }) } });
  kube.put('configmaps', { metadata: { name: 'orders-status' }, data: { 'status.json': '{}' } });
  kube.put('configmaps', { metadata: { name: 'orders-leader', annotations: { leader: 'orders-1-0' } } });
  kube.put('leases', { metadata: { name: 'orders-backup' }, spec: {} });
  for (const name of ['orders-1-0', 'orders-2-0']) kube.put('pods', pod(name));
  let made = false;
  exec.answers.info = () => info(made ? withNew : undefined);
  exec.answers.backup = () => {
    made = true;
    return { lines: [`P00   INFO: new backup label = ${NEW}`] };
  };
  exec.answers.psql = () => ({ lines: ['16777216'] });
  exec.answers['repo-ls'] = () => ({ lines: [2, 3, 4, 5, 6, 7].map((number) => `0000000100000000/00000001000000000000000${number}-${HASH}.zst`) });
  const snapshots = new FakeSnapshots();
  const say = (text: string) => void said.push(text);
  const ports = { kube, exec, clock, snapshots, say, log: new Log({}, () => undefined) };
  return {
    kube, exec, clock, said,
    run: () => new BackupJob(ports, { ...ORDER, ...order }, 'job-a').run(new AbortController().signal),
    runUnder: (signal: AbortSignal) => new BackupJob(ports, { ...ORDER, ...order }, 'job-a').run(signal),
    status: () => readBackupStatus(kube.objects.get('configmaps/orders-status'))!,
    lease: () => (kube.objects.get('leases/orders-backup') as KubeObject & { spec: { holderIdentity?: string | null } }).spec,
  };
}

test('a backup is made, proven, reported with the window, and the lock given back', async () => {
  const { run, status, lease, kube, said } = world();
  assert.equal(await run(), EXIT.done);
  const { schedules, repositories } = status();
  assert.deepEqual({ ...schedules.nightly, startedAt: '', endedAt: '', lastGoodAt: '' }, {
    type: 'full', repository: 1, startedAt: '', endedAt: '', done: true, member: 'orders-1-0', label: NEW, lastGoodAt: '',
  });
  assert.equal(repositories['1']!.backups[0]!.label, NEW);
  assert.deepEqual(repositories['1']!.window, {
    startsAt: new Date(1795475395000).toISOString(), endsAt: new Date(1795500060000).toISOString(), oldestBackup: '20261123-230954F', newestBackup: NEW,
  });
  assert.equal(lease().holderIdentity, null);
  assert.equal((kube.objects.get('configmaps/orders-status') as { data?: Record<string, string> }).data!['status.json'], '{}');
  assert.match(said.at(-1)!, new RegExp(`Done: ${NEW}`));
});

test('while another Job lives nothing is run, and the result says so, because two backups at once end each other', async () => {
  const { run, kube, exec, status, said, clock } = world();
  const renew = () => kube.put('leases', { metadata: { name: 'orders-backup' }, spec: { holderIdentity: 'job-b', renewTime: clock.wall().toISOString() } });
  renew();
  kube.before = (verb, name) => { if (verb === 'get' && name === 'orders-backup') renew(); };
  assert.equal(await run(), EXIT.locked);
  assert.deepEqual(exec.ran, []);
  assert.equal(status().schedules.nightly!.failure!.kind, 'lock-held');
  assert.match(said.join('\n'), /job-b is at work/);
});

test('the lock of a Job that died is taken over', async () => {
  const { run, kube } = world();
  kube.put('leases', { metadata: { name: 'orders-backup' }, spec: { holderIdentity: 'job-b', renewTime: '2026-01-01T00:00:00.000000Z' } });
  assert.equal(await run(), EXIT.done);
});

const REFUSED: ReadonlyArray<readonly [string, Partial<BackupOrder>, object, RegExp]> = [
  ['a cluster without storage', {}, {}, /no storage for backups/],
  ['a repository that is not there', { repository: 2 }, { backup: BACKUP }, /repository 2 is not among/],
  ['a cluster that is not there', { cluster: 'other' }, { backup: BACKUP }, /no cluster other/],
];

for (const [what, order, backup, message] of REFUSED) {
  test(`${what} is refused before anything is touched`, async () => {
    const { run, exec, said, lease } = world(order, backup);
    assert.equal(await run(), EXIT.refused);
    assert.match(said.join('\n'), message);
    assert.deepEqual([exec.ran, lease()], [[], {}]);
  });
}

test('a wrong key is named, and what was known of the repository stays', async () => {
  const { run, exec, status, kube } = world();
  assert.equal(await run(), EXIT.done);
  exec.answers.info = () => info(broken('[ProtocolError] HTTP request failed with 403 (Forbidden):\n<Error><Code>SignatureDoesNotMatch</Code></Error>'));
  assert.equal(await run(), EXIT.failed);
  const { failure, lastGoodAt, done } = status().schedules.nightly!;
  assert.deepEqual([done, failure!.kind], [false, 'wrong-credentials']);
  assert.ok(lastGoodAt);
  assert.equal(status().repositories['1']!.window?.newestBackup, NEW, 'what was read before');
  assert.ok(kube);
});

test('when the connection is lost, the end of pgBackRest is waited for and the repository decides', async () => {
  const { run, exec, said } = world();
  let looks = 0;
  exec.answers.backup = () => ({ end: { exitCode: undefined, why: 'the connection was closed (1006)' } });
  exec.answers.info = () => {
    looks += 1;
    if (looks === 1) return info();
    return info((stanza) => {
      stanza.status.lock.backup.held = looks < 4;
      if (looks >= 4) withNew(stanza);
    });
  };
  assert.equal(await run(), EXIT.done);
  assert.equal(looks, 5);
  assert.match(said.join('\n'), /connection to pgBackRest was lost/);
});

test('a failover ends a backup, and the repository is then read by the new primary', async () => {
  const { run, exec, kube, status } = world();
  exec.answers.backup = () => {
    kube.put('configmaps', { metadata: { name: 'orders-leader', annotations: { leader: 'orders-2-0' } } });
    return { end: { exitCode: 57 }, lines: ['ERROR: [057]: terminating connection'] };
  };
  assert.equal(await run(), EXIT.failed);
  assert.equal(status().schedules.nightly!.failure!.kind, 'primary-changed');
  assert.ok(exec.ran.includes('orders-2-0 info'));
});

/** The node of the primary has lost its power: nothing comes from pgBackRest any more, not even its end. */
function silent(exec: FakeExec, failOver: () => void): void {
  const { run } = exec;
  exec.run = async (call, options) => {
    if (!call.command.includes('backup')) return run.call(exec, call, options);
    exec.ran.push(`${call.pod} backup`);
    const givenUp = new Promise<ExecEnd>((resolve) => {
      options.signal!.addEventListener('abort', () => resolve({ exitCode: undefined, why: 'this process was asked to stop' }), { once: true });
    });
    failOver();
    return givenUp;
  };
}

for (const [what, failOver] of [
  ['another member leads', (kube: FakeKube) => kube.put('configmaps', { metadata: { name: 'orders-leader', annotations: { leader: 'orders-2-0' } } })],
  ['a new Pod of its name leads', (kube: FakeKube) => {
    const { metadata, ...rest } = pod('orders-1-0');
    kube.put('pods', { ...rest, metadata: { ...metadata, uid: 'other' } });
  }],
] as const) {
  test(`a connection to a lost node is given up as soon as ${what}, because nothing else ends it`, async () => {
    const { run, exec, kube, clock, status } = world();
    silent(exec, () => failOver(kube));
    assert.equal(await run(), EXIT.failed);
    assert.equal(status().schedules.nightly!.failure!.kind, 'primary-changed');
    assert.ok(clock.now < 60_000, `${clock.now} ms`);
  });
}

function busyUntil(exec: FakeExec, looks: number, thenMade: boolean): void {
  const own = exec.answers.info!;
  let asked = 0;
  exec.answers.info = (name) => {
    asked += 1;
    if (asked >= looks) return thenMade ? info(withNew) : own(name);
    return info((stanza) => { stanza.status.lock.backup.held = true; });
  };
}

test('a backup that was begun before, such as by a Job whose node was lost, is waited for and counts', async () => {
  const { run, exec, status } = world();
  busyUntil(exec, 4, true);
  assert.equal(await run(), EXIT.done);
  const { label, note } = status().schedules.nightly!;
  assert.equal(label, NEW);
  assert.match(note!, /was at work in orders-1-0 already/);
  assert.ok(!exec.ran.includes('orders-1-0 backup'));
});

test('when nothing came of what was begun before, the Job makes its own', async () => {
  const { run, exec, status } = world();
  busyUntil(exec, 4, false);
  assert.equal(await run(), EXIT.done);
  assert.ok(exec.ran.includes('orders-1-0 backup'));
  assert.equal(status().schedules.nightly!.note, undefined);
});

test('a Job that is ended says so and gives the lock back without a further question, because it has 2 s', async () => {
  const { exec, status, lease, runUnder } = world();
  const stop = new AbortController();
  silent(exec, () => stop.abort());
  assert.equal(await runUnder(stop.signal), EXIT.failed);
  assert.equal(exec.ran.at(-1), 'orders-1-0 backup');
  assert.equal(status().schedules.nightly!.failure!.kind, 'interrupted');
  assert.equal(lease().holderIdentity, null);
});

test('a primary that comes back soon is waited for', async () => {
  const { run, kube, clock } = world();
  kube.put('configmaps', { metadata: { name: 'orders-leader', annotations: {} } });
  kube.before = () => {
    if (clock.now > 20_000) kube.before = () => undefined;
    else return;
    kube.put('configmaps', { metadata: { name: 'orders-leader', annotations: { leader: 'orders-1-0' } } });
  };
  assert.equal(await run(), EXIT.done);
});

test('without a primary no backup is made, and the result says why', async () => {
  const { run, kube, status } = world();
  kube.put('configmaps', { metadata: { name: 'orders-leader', annotations: {} } });
  assert.equal(await run(), EXIT.failed);
  assert.equal(status().schedules.nightly!.failure!.kind, 'no-primary');
});

test('a command that cannot be started is a failure with its reason', async () => {
  const { run, exec, status } = world();
  exec.run = () => Promise.reject(new KubeError(403, { verb: 'create', resource: 'pods/exec', name: 'orders-1-0' }, 'forbidden'));
  assert.equal(await run(), EXIT.failed);
  assert.match(status().schedules.nightly!.failure!.detail, /create pods\/exec orders-1-0: 403/);
});

test('an archive that cannot be listed leaves the window open, not the backup', async () => {
  const { run, exec, status } = world();
  exec.answers['repo-ls'] = () => ({ end: { exitCode: 49 } });
  assert.equal(await run(), EXIT.done);
  const { window, why } = status().repositories['1']!;
  assert.deepEqual([window, why], [undefined, 'the archive could not be listed']);
});

test('what another process wrote to the status meanwhile stays', async () => {
  const { run, kube, status } = world();
  let conflicts = 0;
  kube.before = (verb, name) => {
    if (verb !== 'patch' || name !== 'orders-status' || conflicts > 0) return;
    conflicts += 1;
    kube.put('configmaps', { metadata: { name }, data: { 'status.json': '{"phase":"Healthy"}' } });
  };
  assert.equal(await run(), EXIT.done);
  assert.equal(conflicts, 1);
  assert.equal(status().schedules.nightly!.done, true);
});

const ARGUMENTS = ['--cluster', 'orders', '--schedule', 'nightly', '--type', 'full', '--repository', '1', '--target', 'primary'];

test('reads the order of a CronJob', () => assert.deepEqual(readOrder(ARGUMENTS), ORDER));

test('reads the order of a schedule of snapshots', () => {
  const args = ARGUMENTS.map((text) => (text === 'full' ? 'snapshot' : text));
  assert.deepEqual(readOrder([...args, '--keep', '7', '--class', 'fast']).snapshot, { keep: 7, className: 'fast' });
});

for (const [what, args, message] of [
  ['no cluster', ARGUMENTS.slice(2), /--cluster is missing/],
  ['a type that is none', ARGUMENTS.map((text) => (text === 'full' ? 'diff' : text)), /--type is "diff"; it takes full, differential, incremental, snapshot/],
  ['a repository that is no number', ARGUMENTS.map((text) => (text === '1' ? 'one' : text)), /--repository is "one"/],
  ['a target that is none', ARGUMENTS.map((text) => (text === 'primary' ? 'any' : text)), /--target is "any"/],
  ['an option that it does not know', [...ARGUMENTS, '--speed', '2'], /--speed/],
  ['a number of snapshots for another type', [...ARGUMENTS, '--keep', '2'], /--keep and --class are for snapshots, and --type is full/],
  ['no number of snapshots', ARGUMENTS.map((text) => (text === 'full' ? 'snapshot' : text)), /--keep is ""; it takes the number of snapshots/],
] as const) {
  test(`an order with ${what} is refused with what it takes`, () => {
    assert.throws(() => readOrder(args), (problem: unknown) => (
      problem instanceof OrderError && message.test(problem.message) && problem.exitCode === EXIT.refused
    ));
  });
}
