import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackupJob, EXIT } from '../src/backup-job.js';
import { choosePlace, explainScript, galeraRepository } from '../src/decide/galera/backup.js';
import { Log } from '../src/log.js';
import { FakeExec } from './support/fake-exec.js';
import { FakeKube } from './support/fake-kube.js';
import { FakeSnapshots } from './support/fake-snapshots.js';
import { LeapingClock } from './support/leaping-clock.js';
import { readBackupStatus } from '../src/model/backup-status.js';

const ORDER = { cluster: 'orders', schedule: 'nightly', type: 'full', repository: 1, target: 'primary' } as const;
const MADE = {
  label: '20261126-213102F', startedAt: '2026-11-26T21:31:02Z', endedAt: '2026-11-26T21:31:07Z', sizeBytes: 73_613_598, storedBytes: 3_643_639, gtid: '1-1-6',
};
const REPLAY = { label: MADE.label, starts: 1795728667, ends: 1795728700 };
const CONTRACT = {
  contractVersion: 1, engine: 'mariadb', cluster: 'orders', namespace: 'shop', engineVersion: '11.8',
  members: ['orders-1', 'orders-2', 'orders-3'].map((name) => ({ name, pod: `${name}-0`, group: 'default', promotable: true, volumes: [] })),
  backup: { repositories: [{ key: 1, storage: 's3://b/shop/orders' }], schedules: [], archiveTimeoutSeconds: 60 },
};

const place = (pod: string, synced: boolean, writer: boolean) => ({ pod, synced, writer });

/** Members by the last argument of the script: `place`, `info`, and `nightly` for the backup itself. */
function world() {
  const [kube, exec, clock] = [new FakeKube(), new FakeExec(), new LeapingClock()];
  kube.put('configmaps', { metadata: { name: 'orders-contract' }, data: { 'contract.json': JSON.stringify(CONTRACT) } });
  kube.put('configmaps', { metadata: { name: 'orders-status' }, data: {} });
  kube.put('leases', { metadata: { name: 'orders-backup' }, spec: {} });
  let made = false;
  const writer = 'orders-1-0';
  exec.answers.place = (pod) => ({ lines: [JSON.stringify({ member: pod, synced: true, writer: pod === writer })] });
  exec.answers.info = () => ({
    lines: [JSON.stringify({ backups: made ? [MADE] : [], replays: made ? [REPLAY] : [] })],
  });
  exec.answers.nightly = () => {
    made = true;
    return { lines: ['backup to s3://b/shop/orders', JSON.stringify(MADE)] };
  };
  const snapshots = new FakeSnapshots();
  const ports = { kube, exec, clock, snapshots, log: new Log({}, () => undefined), say: () => undefined };
  return {
    exec,
    run: () => new BackupJob(ports, ORDER, 'job-a').run(new AbortController().signal),
    status: () => readBackupStatus(kube.objects.get('configmaps/orders-status'))!,
  };
}

test('a backup of a Galera cluster runs in a member that does not take the writes, and is reported with the window', async () => {
  const { run, status } = world();
  assert.equal(await run(), EXIT.done);
  const { schedules, repositories } = status();
  const { member, label, done } = schedules.nightly!;
  assert.deepEqual({ member, label, done },
    { member: 'orders-3-0', label: MADE.label, done: true });
  assert.deepEqual(repositories['1']!.window, {
    startsAt: '2026-11-26T21:31:07.000Z', endsAt: '2026-11-26T21:31:40.000Z', oldestBackup: MADE.label, newestBackup: MADE.label,
  });
  assert.equal(repositories['1']!.backups[0]!.sizeBytes, MADE.sizeBytes);
});

test('a script that fails is a Job that fails, with the cause in words', async () => {
  const { exec, run, status } = world();
  exec.answers.nightly = () => ({ lines: [], errors: ['ArchiveError: InvalidAccessKeyId: no such key'], end: { exitCode: 1 } });
  assert.equal(await run(), EXIT.failed);
  assert.equal(status().schedules.nightly!.failure!.kind, 'wrong-credentials');
});

test('a backup that the archive does not list does not count, whatever the script says', async () => {
  const { exec, run, status } = world();
  exec.answers.info = () => ({ lines: ['{"backups":[],"replays":[]}'] });
  assert.equal(await run(), EXIT.failed);
  assert.equal(status().schedules.nightly!.failure!.kind, 'not-in-repository');
});

test('an archive that cannot be read afterwards leaves the result open, so the backup does not count', async () => {
  const { exec, run, status } = world();
  exec.answers.info = () => ({ lines: [], end: { exitCode: 1 } });
  assert.equal(await run(), EXIT.failed);
  assert.equal(status().schedules.nightly!.failure!.kind, 'unverified');
});

test('without a member in step there is no backup, because what a joiner has is not the cluster', async () => {
  const { exec, run, status } = world();
  exec.answers.place = (pod) => ({ lines: [JSON.stringify({ member: pod, synced: false, writer: false })] });
  assert.equal(await run(), EXIT.failed);
  assert.equal(status().schedules.nightly!.failure!.kind, 'no-member');
});

test('the last member in step that is no writer is chosen; the writer only when nobody else is', () => {
  assert.equal(choosePlace([place('a', true, true), place('b', true, false), place('c', true, false)]).pod, 'c');
  assert.equal(choosePlace([place('a', true, true), place('b', true, false), place('c', false, false)]).pod, 'b');
  const alone = choosePlace([place('a', true, true), place('b', false, false)]);
  assert.equal(alone.pod, 'a');
  assert.match((alone as { note: string }).note, /takes writes/);
});

test('a gap moves the beginning of the window forward, because earlier backups cannot be replayed past it', () => {
  const backups = ['a', 'b'].map((label) => ({ ...MADE, label }));
  const replays = [{ label: 'a', starts: 100, ends: 150, gapAfter: '1-7' }, { label: 'b', starts: 200, ends: 300 }];
  const { window, gap } = galeraRepository({ backups, replays }, new Date(0), 200);
  assert.deepEqual([window!.oldestBackup, window!.startsAt, gap], ['b', '1970-01-01T00:03:20.000Z', '1-7']);
});

for (const [output, kind] of [
  ['NoSuchBucket: gone', 'missing-bucket'], ['x509: certificate signed by unknown authority', 'certificate'], ['dial tcp: lookup s3.test: no such host', 'unreachable'],
  ['the archive belongs to another cluster, whose state is a', 'other-cluster'], ['another backup runs in this member', 'busy'],
  ['Secret s3 has no value for key a', 'secret-missing'], ['something else', 'other'],
] as const) {
  test(`"${output}" is ${kind}`, () => assert.equal(explainScript(output).kind, kind));
}
