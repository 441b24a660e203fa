import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRequest, UsageError, type RestoreRequest } from '../../src/kubectl/arguments.js';
import { RestoreCommand } from '../../src/kubectl/restore.js';
import { FakeExec } from '../support/fake-exec.js';
import { FakeKube } from '../support/fake-kube.js';
import { LeapingClock } from '../support/leaping-clock.js';
import { contract } from '../support/operations.js';

const NAMES = ['orders-1-0', 'orders-2-0', 'orders-3-0'];
const PLACE = { cluster: 'orders', namespace: undefined, context: undefined, kubeconfig: undefined };
const RESTORE: RestoreRequest = { ...PLACE, command: 'restore', id: 'r1' };
const REPLACEMENT = { name: 'r1', putBack: false };

function state(change: object = {}) {
  return { lines: [JSON.stringify({ replacement: REPLACEMENT, waits: true, kept: [], ...change })] };
}

function world(declared: object = REPLACEMENT) {
  const [kube, exec, clock] = [new FakeKube(), new FakeExec(), new LeapingClock()];
  const said: string[] = [];
  const deleted: string[] = [];
  kube.put('configmaps', { metadata: { name: 'orders-contract' }, data: { 'contract.json': JSON.stringify(contract()) } });
  kube.put('configmaps', { metadata: { name: 'orders-postgres' }, data: { 'cluster.json': JSON.stringify({ replacement: declared }) } });
  const put = (name: string, uid: string, annotations = {}, role = 'replica') => kube.put('pods', {
    metadata: { name, uid, labels: { 'everest.io/role': role }, annotations },
    status: { conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [{ name: 'postgres', state: { running: {} } }] },
  });
  NAMES.forEach((name, index) => put(name, `old-${index}`, {}, index === 0 ? 'primary' : 'replica'));
  const pods = {
    delete: async (name: string, uid: string) => {
      deleted.push(`${name} ${uid}`);
      put(name, `new-${uid}`, {}, name === NAMES[0] ? 'primary' : 'replica');
    },
  };
  exec.answers.state = () => state();
  exec.answers.look = () => ({ lines: ['it can be reached'] });
  const stop = new AbortController();
  const ports = { kube, pods, exec, clock, namespace: 'shop', say: (text: string) => void said.push(text) };
  const run = (request: RestoreRequest) => new RestoreCommand(ports, request).run(stop.signal);
  return { kube, exec, said, deleted, stop, put, run };
}

test('reads the command lines of a restore', () => {
  const moment = (to: string) => readRequest(['restore', 'orders', '--to', to]);
  const [time, lsn] = ['2026-03-01T11:59:59+00:00', '0/5000060'];
  assert.deepEqual(moment('2026-03-01T11:59:59Z'), { ...PLACE, command: 'restore', to: { type: 'time', value: time } });
  assert.deepEqual(moment(lsn), { ...PLACE, command: 'restore', to: { type: 'lsn', value: lsn } });
  assert.deepEqual(readRequest(['reject', 'orders', '--id', 'r1']), { ...PLACE, command: 'reject', id: 'r1' });
});

for (const [args, message] of [
  [['restore', 'a'], /--to MOMENT, to look, or --id NAME/], [['restore', 'a', '--to', '2026-03-01T11:59:59'], /a time with a zone/],
  [['restore', 'a', '--to', '0/1', '--id', 'x'], /--to MOMENT, to look, or --id NAME/], [['accept', 'a'], /accept takes --id NAME/],
  [['reject', 'a', '--to', '0/1'], /reject does not know --to/], [['restore', 'a', '--id', '../x'], /it takes the name/],
] as const) {
  test(`${args.join(' ')} is refused with what would be right`, () => {
    assert.throws(() => readRequest(args), (problem: Error) => (
      problem instanceof UsageError && message.test(problem.message)
    ));
  });
}

test('a moment is looked at, and the change for Git is shown; nothing is ended', async () => {
  const { run, said, deleted, exec } = world();
  assert.equal(await run({ ...PLACE, command: 'restore', to: { type: 'time', value: '2026-03-01T11:59:59+00:00' } }), 0);
  assert.match(said.join('\n'), /it can be reached[\s\S]*replacing: 'restore-20260301-115959'[\s\S]*--id restore-20260301-115959/);
  assert.deepEqual([deleted, exec.ran], [[], ['orders-1-0 look']]);
});

test('a moment that cannot be reached is told, and no change is shown for it', async () => {
  const { run, said, exec } = world();
  exec.answers.look = () => ({ errors: ['everest: the window goes from … to …'], end: { exitCode: 1 } });
  assert.equal(await run({ ...PLACE, command: 'restore', to: { type: 'lsn', value: '0/1' } }), 1);
  assert.deepEqual(said, ['the window goes from … to …']);
});

test('what is declared is done: all members are ended at once, each by its own identity, and followed', async () => {
  const { run, said, deleted } = world();
  assert.equal(await run(RESTORE), 0);
  assert.deepEqual(deleted, NAMES.map((name, index) => `${name} old-${index}`));
  assert.match(said.at(-1)!, /orders-1-0 takes writes\. To keep it for good: kubectl everest accept orders --id r1/);
});

test('nothing is ended for a restore that is not declared, since Git is the truth', async () => {
  const { run, deleted, said } = world({ name: 'r0', putBack: false });
  assert.equal(await run(RESTORE), 1);
  assert.equal(deleted.length, 0);
  assert.match(said[0]!, /declare no restore in place r1/);
});

test('nothing is ended while the moment cannot be reached', async () => {
  const { run, deleted, exec } = world();
  exec.answers.check = () => ({ errors: ['everest: the window …'], end: { exitCode: 1 } });
  assert.equal(await run(RESTORE), 1);
  assert.equal(deleted.length, 0);
});

test('nothing is ended before each member has the declaration, since one that has not would start the old server', async () => {
  const { run, deleted, exec, said } = world();
  exec.answers.state = (pod) => state(pod === 'orders-3-0' ? { replacement: null } : {});
  assert.equal(await run(RESTORE), 1);
  assert.equal(deleted.length, 0);
  assert.match(said.at(-1)!, /orders-3-0 does not have the declaration/);
});

test('a restore that is done is not done again', async () => {
  const { run, deleted, exec } = world();
  exec.answers.state = () => state({ waits: false, kept: ['before'] });
  assert.equal(await run(RESTORE), 0);
  assert.equal(deleted.length, 0);
});

test('a restore that is under way is followed, and its members are not ended again', async () => {
  const { run, deleted, exec, said } = world();
  exec.answers.state = (pod) => state({ waits: pod !== 'orders-1-0' });
  assert.equal(await run(RESTORE), 0);
  assert.deepEqual([deleted, said[0]], [[], 'r1 is under way.']);
});

test('a member that does not run holds everything up, since its data would be left behind', async () => {
  const { run, deleted, exec } = world();
  exec.answers.state = (pod) => (pod === 'orders-2-0' ? { end: { exitCode: undefined, why: 'gone' } } : state());
  assert.equal(await run(RESTORE), 1);
  assert.equal(deleted.length, 0);
});

test('it ends where the data wait to be looked at', async () => {
  const { run, kube, put, said } = world();
  kube.before = (verb, name) => {
    const told = { 'everest.io/waiting': JSON.stringify({ problem: 'the data are at the target', atTarget: true }) };
    const isNew = kube.objects.get(`pods/${name}`)?.metadata.uid?.startsWith('new');
    if (verb === 'get' && name === NAMES[0] && isNew) put(name, 'new', told, 'uninitialized');
  };
  assert.equal(await run(RESTORE), 0);
  assert.equal(said.at(-1), 'orders-1-0: the data are at the target');
});

test('the way back is shown as a change for Git until it is declared', async () => {
  const { run, said, deleted } = world();
  assert.equal(await run({ ...PLACE, command: 'reject', id: 'r1' }), 1);
  assert.match(said[0]!, /Bootstrap\.putBack\('r1'\)/);
  assert.equal(deleted.length, 0);
});

test('the way back asks for no moment', async () => {
  const back = { name: 'r1', putBack: true };
  const { run, exec, deleted } = world(back);
  exec.answers.state = () => state({ replacement: back, kept: ['before'] });
  assert.equal(await run({ ...PLACE, command: 'reject', id: 'r1' }), 0);
  assert.equal(deleted.length, 3);
  assert.ok(!exec.ran.some((ran) => ran.endsWith('check')));
});

test('after accept no way back is called done, because what was set aside is gone', async () => {
  const back = { name: 'r1', putBack: true };
  const { run, exec, said, deleted } = world(back);
  exec.answers.state = () => state({ replacement: back, waits: false, kept: ['accepted'] });
  assert.equal(await run({ ...PLACE, command: 'reject', id: 'r1' }), 1);
  assert.deepEqual([deleted.length, /there is no way back/.test(said.at(-1)!)], [0, true]);
});

test('for good in all members or in none', async () => {
  const { run, exec } = world();
  const accept: RestoreRequest = { ...PLACE, command: 'accept', id: 'r1' };
  exec.answers.state = (pod) => state({ waits: pod === 'orders-3-0', kept: ['before'] });
  await assert.rejects(run(accept), /orders-3-0 has not been through r1/);
  assert.ok(!exec.ran.some((ran) => ran.endsWith('accept')));
  exec.answers.state = () => state({ waits: false, kept: ['before'] });
  assert.equal(await run(accept), 0);
  assert.equal(exec.ran.filter((ran) => ran.endsWith('accept')).length, 3);
});

test('what is accepted has to be named as it is declared', async () => {
  await assert.rejects(world().run({ ...PLACE, command: 'accept', id: 'r2' }), /knows no restore in place r2/);
});
