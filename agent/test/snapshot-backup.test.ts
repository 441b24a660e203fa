import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackupJob, EXIT } from '../src/backup-job.js';
import type { BackupOrder } from '../src/backup-work.js';
import { explainSnapshot, SNAPSHOT_FAILURE_ROWS } from '../src/decide/snapshot-failure.js';
import { chooseSnapshotMember } from '../src/decide/snapshot-member.js';
import { tooMany } from '../src/decide/snapshot-retention.js';
import { Log } from '../src/log.js';
import { INFO } from './support/backups.js';
import { FakeExec } from './support/fake-exec.js';
import { FakeKube } from './support/fake-kube.js';
import { FakeSnapshots } from './support/fake-snapshots.js';
import { LeapingClock } from './support/leaping-clock.js';
import { contract } from './support/operations.js';
import { readBackupStatus, type SnapshotRecord } from '../src/model/backup-status.js';
import { podFacts } from '../src/model/objects.js';
import { KubeError, type KubeObject } from '../src/ports/kube.js';

const ORDER: BackupOrder = { cluster: 'orders', schedule: 'nightly', type: 'snapshot', repository: 1, target: 'standby', snapshot: { keep: 2 } };
const BACKUP = { stanza: 'db', repositories: [{ key: 1, storage: 'main' }], schedules: [], archiveTimeoutSeconds: 60 } as const;
const HASH = 'bbf44ea2039dbaf78bb80d681b03907db4fc2302';
/** By the test's clock, which begins with the year. */
const NEW = 'orders-nightly-20260101t000000z';
const FACTS = {
  cluster: 'orders', member: 'orders-2-0', system: '7', major: '17', architecture: 'x86_64', label: 'START WAL LOCATION: 0/2000028\n',
  startLsn: '0/2000028', stopLsn: '0/3000050', startWal: '000000010000000000000002', stopWal: '000000010000000000000003',
  stoppedAt: '2026-01-01T00:00:01.000000Z',
};
const MEMBERS = ['orders-1', 'orders-2', 'orders-3'].map((name) =>
  ({ name, pod: `${name}-0`, group: 'default', promotable: true, volumes: [`${name}-data`] }));
const ANNOTATION = 'everest.io/snapshot';

function pod(name: string, status: object): KubeObject {
  return {
    metadata: { name, uid: name, annotations: { status: JSON.stringify({ state: 'running', ...status }) } },
    status: { podIP: '10.0.0.1', phase: 'Running', containerStatuses: [{ name: 'postgres', state: { running: {} } }] },
  };
}

function snapshot(name: string, facts?: object): KubeObject {
  const labels = { 'everest.io/cluster': 'orders', 'everest.io/schedule': 'nightly' };
  const annotations = facts ? { annotations: { [ANNOTATION]: JSON.stringify(facts) } } : {};
  return { metadata: { name, labels, ...annotations }, status: { creationTime: '2026-01-01T00:00:00Z', readyToUse: true } };
}

function older(day: number, facts: object = {}): KubeObject {
  return snapshot(`old-${day}`, { ...FACTS, stoppedAt: `2025-12-${day}T00:00:00.000000Z`, ...facts });
}

/** As one folder and as the whole archive are listed. */
function listing(...numbers: number[]) {
  const file = (number: number) => `00000001000000000000000${number}-${HASH}.zst`;
  return { lines: numbers.flatMap((number) => [`0000000100000000/${file(number)}`, file(number)]) };
}

function world(order: Partial<BackupOrder> = {}) {
  const [kube, exec, clock, snapshots] = [new FakeKube(), new FakeExec(), new LeapingClock(), new FakeSnapshots()];
  const said: string[] = [];
  kube.put('configmaps', { metadata: { name: 'orders-contract' }, data: { 'contract.json': JSON.stringify({ ...contract(), members: MEMBERS, backup: BACKUP }) } });
  kube.put('configmaps', { metadata: { name: 'orders-status' }, data: {} });
  kube.put('configmaps', { metadata: { name: 'orders-leader', annotations: { leader: 'orders-1-0' } } });
  kube.put('leases', { metadata: { name: 'orders-backup' }, spec: {} });
  kube.put('pods', pod('orders-1-0', { role: 'primary', xlog_location: 300 }));
  kube.put('pods', pod('orders-2-0', { role: 'replica', replication_state: 'streaming', xlog_location: 200 }));
  kube.put('pods', pod('orders-3-0', { role: 'replica', replication_state: 'streaming', xlog_location: 100 }));
  exec.answers.info = () => ({ lines: [INFO] });
  exec.answers.hold = () => ({ lines: [JSON.stringify({ held: NEW }), JSON.stringify({ facts: FACTS })] });
  exec.answers.psql = () => ({ lines: ['16777216'] });
  exec.answers['repo-ls'] = () => listing(2, 3, 4);
  const say = (text: string) => void said.push(text);
  const ports = { kube, exec, clock, snapshots, say, log: new Log({}, () => undefined) };
  const stop = new AbortController();
  return {
    kube, exec, clock, snapshots, said, stop,
    run: () => new BackupJob(ports, { ...ORDER, ...order }, 'job-a').run(stop.signal),
    status: () => readBackupStatus(kube.objects.get('configmaps/orders-status'))!,
    failure: () => readBackupStatus(kube.objects.get('configmaps/orders-status'))!.schedules.nightly!.failure!,
  };
}

test('a snapshot of the nearest standby counts only with its label on it, and is told with its moment', async () => {
  const { run, snapshots, status, exec } = world();
  assert.equal(await run(), EXIT.done);
  const made = snapshots.objects.get(NEW)!;
  assert.deepEqual(made.spec, { source: { persistentVolumeClaimName: 'orders-2-data' } });
  assert.deepEqual(JSON.parse(made.metadata.annotations![ANNOTATION]!), FACTS);
  assert.deepEqual(status().snapshots, { nightly: [{ name: NEW, endedAt: FACTS.stoppedAt, stopLsn: '0/3000050', member: 'orders-2-0', good: true }] });
  assert.deepEqual([status().schedules.nightly!.member, status().schedules.nightly!.label, status().schedules.nightly!.type], ['orders-2-0', NEW, 'snapshot']);
  assert.ok(status().repositories['1']!.window, 'the repository was looked at too');
  assert.ok(exec.ran.includes('orders-1-0 psql'), 'the primary begins another file, since only it sends');
});

test('a class is asked for by its name', async () => {
  const { run, snapshots } = world({ snapshot: { keep: 2, className: 'fast' } });
  await run();
  assert.equal((snapshots.objects.get(NEW)!.spec as Record<string, unknown>).volumeSnapshotClassName, 'fast');
});

test('until its log is in the archive it is no backup, and when that takes too long it does not stay', async () => {
  const { run, snapshots, exec, failure } = world();
  exec.answers['repo-ls'] = () => ({ lines: [`000000010000000000000002-${HASH}.zst`] });
  assert.equal(await run(), EXIT.failed);
  assert.equal(failure().kind, 'archive-timeout');
  assert.equal(snapshots.objects.size, 0);
});

test('a hole in its log is no backup either, because a server could not get over it', async () => {
  const { run, snapshots, exec, failure } = world();
  exec.answers['repo-ls'] = () => listing(3, 4);
  assert.equal(await run(), EXIT.failed);
  assert.match(failure().detail, /000000010000000000000002 is not there/);
  assert.equal(snapshots.objects.size, 0);
});

/** As the archive is a while after a failover in this segment: its file on the old timeline never comes. */
function failedOver(exec: FakeExec, kube: FakeKube, lsn: string): void {
  const files = ['000000010000000000000002', '000000020000000000000003', '000000020000000000000004'];
  const lines = [...files.map((file) => `${file}-${HASH}.zst`), '00000002.history'];
  exec.answers['repo-ls'] = () => {
    kube.put('configmaps', { metadata: { name: 'orders-leader', annotations: { leader: 'orders-3-0' } } });
    kube.put('pods', pod('orders-3-0', { role: 'primary', xlog_location: 300 }));
    return { lines };
  };
  exec.answers['repo-get'] = () => ({ lines: [`1\t${lsn}\tno recovery target specified`] });
}

test('a snapshot that ends in the last file of a timeline counts with the copy of the next one, because the old primary never finishes it', async () => {
  const { run, exec, kube, status, clock } = world();
  failedOver(exec, kube, '0/3000060');
  assert.equal(await run(), EXIT.done);
  assert.deepEqual([status().snapshots!.nightly![0]!.good, clock.now < 60_000], [true, true]);
});

test('a primary that dies before it has sent the rest of the log is no end, because the next one sends it', async () => {
  const { run, exec, kube } = world();
  exec.answers.psql = () => { throw new KubeError(500, { verb: 'create', resource: 'pods/exec', name: 'orders-1-0' }, 'Unexpected server response: 500'); };
  exec.answers['repo-ls'] = () => {
    exec.answers.psql = () => ({ lines: ['16777216'] });
    failedOver(exec, kube, '0/3000060');
    throw new KubeError(500, { verb: 'create', resource: 'pods/exec', name: 'orders-1-0' }, 'Unexpected server response: 500');
  };
  assert.equal(await run(), EXIT.done);
  assert.ok(exec.ran.includes('orders-3-0 psql'), 'the next one begins another file');
});

test('a snapshot with what a failover has left behind does not stay, and that is said at once', async () => {
  const { run, exec, kube, snapshots, failure, clock } = world();
  failedOver(exec, kube, '0/3000040');
  assert.equal(await run(), EXIT.failed);
  assert.deepEqual([failure().kind, snapshots.objects.size, clock.now < 60_000], ['timeline-abandoned', 0, true]);
  assert.match(failure().detail, /timeline 00000001 up to 0\/3000050/);
});

test('a member that leaves backup mode before its time makes no backup, whatever the driver made', async () => {
  const { run, snapshots, exec, failure } = world();
  exec.answers.hold = () => ({ lines: [JSON.stringify({ held: NEW })], errors: ['everest: terminating connection'], end: { exitCode: 1 } });
  assert.equal(await run(), EXIT.failed);
  assert.deepEqual([failure().kind, snapshots.objects.size], ['backup-mode-lost', 0]);
});

test('facts of which a part is missing are none', async () => {
  const { run, exec, failure } = world();
  exec.answers.hold = () => ({ lines: [JSON.stringify({ held: NEW }), JSON.stringify({ facts: { ...FACTS, label: '' } })] });
  assert.equal(await run(), EXIT.failed);
  assert.equal(failure().kind, 'backup-mode-lost');
});

test('what an earlier run did not finish is removed first', async () => {
  const { run, snapshots, said } = world();
  snapshots.put(snapshot('orders-nightly-20251231t000000z'));
  assert.equal(await run(), EXIT.done);
  assert.deepEqual([...snapshots.objects.keys()], [NEW]);
  assert.match(said.join('\n'), /Removes orders-nightly-20251231t000000z, which an earlier run did not bring to its end/);
});

test('what is beyond the number that stays is removed, and snapshots of other schedules are left alone', async () => {
  const { run, snapshots, status } = world();
  for (const day of [28, 29, 30]) snapshots.put(older(day));
  snapshots.put({ metadata: { name: 'other', labels: { 'everest.io/cluster': 'orders', 'everest.io/schedule': 'weekly' } } });
  assert.equal(await run(), EXIT.done);
  assert.deepEqual([...snapshots.objects.keys()].sort(), ['old-30', NEW, 'other'].sort());
  assert.deepEqual(status().snapshots!.nightly!.map(({ name }) => name), [NEW, 'old-30']);
});

test('a snapshot whose log the retention of full backups has removed is called not good, because it is not', async () => {
  const { run, snapshots, status } = world();
  snapshots.put(older(30, { startWal: '000000010000000000000001', startLsn: '0/1000028' }));
  assert.equal(await run(), EXIT.done);
  const [, found] = status().snapshots!.nightly!;
  assert.equal(found!.good, false);
  assert.match(found!.why!, /000000010000000000000001 of its log is not in the archive/);
});

const CLASS = 'Failed to set default snapshot class with error cannot find default snapshot class';

test('a class that is not there is said at once, and nothing is left behind', async () => {
  const { run, snapshots, failure, clock } = world();
  snapshots.status = () => ({ error: { message: CLASS } });
  assert.equal(await run(), EXIT.failed);
  assert.deepEqual([failure().kind, snapshots.objects.size, clock.now < 60_000], ['no-snapshot-class', 0, true]);
});

test('a driver that fails once and then makes it makes a backup', async () => {
  const { run, snapshots, clock } = world();
  const made = snapshots.status('');
  snapshots.status = () => (clock.now < 20_000 ? { error: { message: 'the disk is busy' } } : made);
  assert.equal(await run(), EXIT.done);
});

test('a driver that never answers is given up with the word for it', async () => {
  const { run, snapshots, failure } = world();
  snapshots.status = () => ({});
  assert.equal(await run(), EXIT.failed);
  assert.deepEqual([failure().kind, snapshots.objects.size], ['snapshot-not-made', 0]);
});

test('a Job that is asked to stop leaves no snapshot', async () => {
  const { run, snapshots, failure, stop } = world();
  snapshots.status = () => {
    stop.abort();
    return {};
  };
  assert.equal(await run(), EXIT.failed);
  assert.deepEqual([failure().kind, snapshots.objects.size], ['interrupted', 0]);
});

test('a Kubernetes cluster without the kind is told so before backup mode begins', async () => {
  const { run, snapshots, failure, exec } = world();
  snapshots.before = (verb) => { throw new KubeError(404, { verb, resource: 'volumesnapshots' }, 'the server could not find the requested resource'); };
  assert.equal(await run(), EXIT.failed);
  assert.equal(failure().kind, 'no-snapshot-api');
  assert.ok(!exec.ran.some((command) => command.endsWith('hold')));
});

test('without a standby that streams the primary is taken, and the note says what that costs', async () => {
  const { run, kube, status, snapshots } = world();
  for (const name of ['orders-2-0', 'orders-3-0']) kube.put('pods', pod(name, { role: 'replica', xlog_location: 1 }));
  assert.equal(await run(), EXIT.done);
  assert.deepEqual(snapshots.objects.get(NEW)!.spec, { source: { persistentVolumeClaimName: 'orders-1-data' } });
  assert.match(status().schedules.nightly!.note!, /no standby streams/);
});

test('a standby that is about to be stopped is not chosen', () => {
  const pods = [pod('a', { replication_state: 'streaming' }), pod('b', { replication_state: 'streaming' })].map(podFacts);
  const leaving = pods.map((each) => ({ ...each, deleting: each.name === 'a' }));
  assert.equal(chooseSnapshotMember('p', leaving).pod, 'b');
});

function record(day: number, good = true): SnapshotRecord {
  return { name: `s${day}`, endedAt: `2026-01-0${day}`, stopLsn: '0/1', member: 'orders-2-0', good };
}
const names = (records: readonly SnapshotRecord[]) => records.map(({ name }) => name);

test('the newest good snapshot stays although it is beyond the number', () => {
  assert.deepEqual(names(tooMany([record(1), record(2, false), record(3, false)], 1)), ['s2']);
  assert.deepEqual(names(tooMany([record(1), record(2), record(3)], 2)), ['s1']);
});

test('without a good one none is removed, because nobody knows what can still be used', () => {
  assert.deepEqual(tooMany([record(1, false), record(2, false)], 1), []);
});

const SAID: ReadonlyArray<readonly [string, string]> = [
  ['list volumesnapshots: 404 the server could not find the requested resource', 'no-snapshot-api'],
  ['create volumesnapshots: 403 volumesnapshots "x" is forbidden: exceeded quota: storage', 'snapshot-quota'],
  ['create volumesnapshots: 403 User cannot create resource', 'not-allowed'],
  ['Failed to get snapshot class with error volumesnapshotclass "fast" not found', 'no-snapshot-class'],
  ['rpc error: code = Unimplemented desc = unknown method', 'snapshots-unsupported'],
  ["python3: can't open file '/etc/everest/snapshot.py': [Errno 2] No such file or directory", 'member-too-old'],
  ['everest: x: this standby does not stream, so its data may be old.', 'standby-behind'],
  ['everest: x: there are tablespaces, which a snapshot of one volume does not hold.', 'tablespaces'],
  ['this process was asked to stop', 'interrupted'],
  ['something else', 'snapshot-failed'],
];

for (const [said, kind] of SAID) {
  test(`${JSON.stringify(said.slice(0, 60))} is ${kind}`, () => assert.equal(explainSnapshot(said).kind, kind));
}

test('each row of failures is met by an example, so that none is shadowed', () => {
  const kinds = SAID.map(([said]) => explainSnapshot(said).kind);
  assert.deepEqual(SNAPSHOT_FAILURE_ROWS.map(({ kind }) => kind).filter((kind) => !kinds.includes(kind)), []);
});
