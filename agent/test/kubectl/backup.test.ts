import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRequest, UsageError } from '../../src/kubectl/arguments.js';
import { BackupCommand, jobFrom, nearestSchedule, withOptions } from '../../src/kubectl/backup.js';
import { CommandError } from '../../src/kubectl/command.js';
import { JobFollower } from '../../src/kubectl/follow-job.js';
import { Log } from '../../src/log.js';
import { KubeError } from '../../src/ports/kube.js';
import { FakeExec } from '../support/fake-exec.js';
import { CRON_JOB, FakeJobs, type Look } from '../support/fake-jobs.js';
import { FakeKube } from '../support/fake-kube.js';
import { FakeSnapshots } from '../support/fake-snapshots.js';
import { LeapingClock } from '../support/leaping-clock.js';
import { contract } from '../support/operations.js';

const REQUEST = { command: 'backup', cluster: 'orders', type: 'full', repository: undefined, namespace: undefined, context: undefined, kubeconfig: undefined } as const;
const schedule = (name: string, type: 'full' | 'incremental' | 'snapshot', repository = 1) => ({
  name, type, repository, cron: '0 2 * * *', timeZone: 'Etc/UTC', suspended: false, target: 'primary' as const,
});
const BACKUP = {
  stanza: 'db' as const, repositories: [{ key: 1, storage: 's3://x' }], archiveTimeoutSeconds: 60,
  schedules: [schedule('nightly', 'incremental')],
};
interface JobShape {
  readonly metadata: { readonly generateName: string };
  readonly spec: {
    readonly backoffLimit: number;
    readonly ttlSecondsAfterFinished: number;
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: { readonly serviceAccountName: string; readonly containers: ReadonlyArray<{ args: string[] }> };
    };
  };
}

const RUNNING = { phase: 'Running' };

function world(change: object = { backup: BACKUP }) {
  const [kube, jobs, clock, exec] = [new FakeKube(), new FakeJobs(), new LeapingClock(), new FakeExec()];
  const said: string[] = [];
  const document = JSON.stringify({ ...contract(), ...change });
  kube.put('configmaps', { metadata: { name: 'orders-contract' }, data: { 'contract.json': document } });
  const log = new Log({}, () => undefined);
  const snapshots = new FakeSnapshots();
  const ports = { kube, jobs, clock, exec, snapshots, log, namespace: 'shop', identity: 'anna@desk', say: (text: string) => void said.push(text) };
  const stop = new AbortController();
  return {
    kube, jobs, said, exec, stop, ports,
    run: (wanted = {}) => new BackupCommand(ports, { ...REQUEST, ...wanted }).run(stop.signal),
    follow: (looks: Look[]) => {
      jobs.looks = looks;
      return new JobFollower(ports, 'job').run(stop.signal);
    },
  };
}

test('reads a command line', () => {
  assert.deepEqual(readRequest(['backup', 'orders', '-n', 'shop', '--type', 'incremental', '--repository', '2']), {
    ...REQUEST, type: 'incremental', repository: 2, namespace: 'shop',
  });
  assert.deepEqual(readRequest(['backup', 'orders']), REQUEST);
  for (const help of [[], ['--help'], ['backup', '-h']]) assert.equal(readRequest(help), undefined);
});

for (const [args, message] of [
  [['backup'], /name of the cluster is missing/], [['backup', 'a', 'b'], /one cluster at a time: b/],
  [['recreate', 'a'], /recreate is no command; there are backup, restore, reject, accept/], [['backup', 'a', '--to', '0/1'], /backup does not know --to/], [['backup', 'a', '--typ', 'full'], /--typ/],
  [['backup', 'a', '--type', 'diff'], /"diff"; it takes full, differential, incremental/],
  [['backup', 'a', '--repository', '0'], /--repository is "0"/],
] as const) {
  test(`${args.join(' ')} is refused with what would be right`, () => {
    assert.throws(() => readRequest(args), (problem: Error) => (
      problem instanceof UsageError && message.test(problem.message)
    ));
  });
}

test('options of a Job are replaced, and nothing else of its words', () => {
  assert.deepEqual(withOptions(['backup', '--type', 'full', '--cluster', 'type'], { type: 'incremental', schedule: 'x' }), [
    'backup', '--cluster', 'type', '--type', 'incremental', '--schedule', 'x',
  ]);
});

test('the Job has all of the schedule\'s, is of its own name, and goes away by itself', () => {
  const job = jobFrom(CRON_JOB, 'orders', { type: 'full', schedule: 'on-demand', repository: '1' }) as JobShape;
  assert.equal(job.metadata.generateName, 'orders-backup-on-demand-');
  assert.equal(job.spec.backoffLimit, 2);
  assert.equal(job.spec.ttlSecondsAfterFinished, 86_400);
  const pod = job.spec.template;
  assert.deepEqual(pod.metadata.labels, { 'everest.io/component': 'backup' });
  assert.equal(pod.spec.serviceAccountName, 'orders-backup');
  assert.deepEqual(pod.spec.containers[0]!.args.slice(-6), ['--type', 'full', '--schedule', 'on-demand', '--repository', '1']);
});

test('the Job is taken from the schedule that is nearest to what is wanted', () => {
  const schedules = [schedule('hourly', 'incremental'), schedule('weekly', 'full'), schedule('far', 'full', 2)];
  const nearest = (change: object) => nearestSchedule({ ...BACKUP, schedules }, { ...REQUEST, ...change })?.name;
  assert.equal(nearest({}), 'weekly');
  assert.equal(nearest({ repository: 2, type: 'incremental' }), 'far');
  assert.equal(nearest({ type: 'differential' }), 'hourly');
});

test('a backup is followed to its end, and its exit code is the truth', async () => {
  for (const [type, code, text] of [['Complete', 0, /made a backup/], ['Failed', 1, /made no backup.*orders-status/]] as const) {
    const { run, jobs, said } = world();
    jobs.logs.set('pod-1', ['P00 INFO: backup', 'Done']);
    jobs.looks = [{ pods: [{ name: 'pod-1', status: RUNNING }] }, { condition: { type } }];
    assert.equal(await run(), code);
    assert.deepEqual(said.slice(0, 3), ['Job orders-backup-on-demand-x1 created.', 'P00 INFO: backup', 'Done']);
    assert.match(said.at(-1)!, text);
  }
});

test('each try of a Job is shown once', async () => {
  const { follow, jobs, said } = world();
  jobs.logs.set('pod-1', ['first']).set('pod-2', ['second']);
  const pods = ['pod-1', 'pod-2'].map((name) => ({ name, status: { phase: 'Failed' } }));
  assert.equal(await follow([{ pods: pods.slice(0, 1) }, { pods }, { pods, condition: { type: 'Failed', message: 'too many tries' } }]), 'failed');
  assert.deepEqual(said, ['first', 'second', 'Job: too many tries']);
});

test('the log of a Pod that ended with its Job is shown before the result', async () => {
  const { follow, jobs, said } = world();
  jobs.logs.set('pod-1', ['all of it']);
  assert.equal(await follow([{ pods: [{ name: 'pod-1', status: { phase: 'Succeeded' } }], condition: { type: 'Complete' } }]), 'complete');
  assert.deepEqual(said, ['all of it']);
});

test('a Pod that cannot start says why, once', async () => {
  const { follow, said } = world();
  const image = { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } } }] };
  const node = { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }] };
  const look = (status: object) => ({ pods: [{ name: 'pod-1', status }] });
  await follow([look(node), look(node), look(image), look(image), { condition: { type: 'Failed' } }]);
  assert.deepEqual(said, ['Pod pod-1 waits: it has no node: 0/3 nodes are available', 'Pod pod-1 waits: ErrImagePull: no such image']);
});

test('an API server that is away for a moment ends nothing, because the Job goes on', async () => {
  const { follow, said } = world();
  assert.equal(await follow([{ away: true }, { away: true }, { condition: { type: 'Complete' } }]), 'complete');
  assert.match(said[0]!, /does not answer.*goes on asking/);
});

test('whoever leaves is told that the Job goes on', async () => {
  const { run, jobs, stop, said } = world();
  jobs.looks = [{}];
  const running = run();
  setImmediate(() => stop.abort());
  assert.equal(await running, 130);
  assert.match(said.at(-1)!, /goes on.*kubectl -n shop logs -f job\/orders-backup-on-demand-x1/);
});

test('without a schedule the backup is made from here, since nothing tells which image a Job would need', async () => {
  const { run, said, exec, kube } = world({ backup: { ...BACKUP, schedules: [] } });
  kube.put('leases', { metadata: { name: 'orders-backup' }, spec: {} });
  kube.put('configmaps', { metadata: { name: 'orders-status' } });
  kube.put('configmaps', { metadata: { name: 'orders-leader', annotations: { leader: 'orders-1-0' } } });
  kube.put('pods', { metadata: { name: 'orders-1-0' }, status: { containerStatuses: [{ name: 'postgres', state: { running: {} } }] } });
  assert.equal(await run(), 1);
  assert.match(said[0]!, /no schedule.*from here/);
  assert.deepEqual(exec.ran, ['orders-1-0 info']);
});

test('a cluster that is not there is named, with what to do', async () => {
  await assert.rejects(world().run({ cluster: 'other' }), (problem: Error) => (
    problem instanceof CommandError && /no cluster other in namespace shop.*another namespace \(-n\)/.test(problem.message)
  ));
});

test('a cluster without storage is told so, with what to do', async () => {
  await assert.rejects(world({ backup: undefined }).run(), (problem: Error) => (
    problem instanceof CommandError && /no storage for backups.*Give it one/.test(problem.message)
  ));
});

test('a right that is missing ends the command', async () => {
  const { run, jobs } = world();
  jobs.refuses = new KubeError(403, { verb: 'create', resource: 'jobs' }, 'forbidden');
  await assert.rejects(run(), KubeError);
});
