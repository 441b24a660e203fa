import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execute, type Hands } from '../../src/execute/executor.js';
import { Log } from '../../src/log.js';
import type { ClearLeader, ClearProof } from '../../src/model/actions.js';
import { fenceName, parseFence } from '../../src/model/fence.js';
import { leaderFacts } from '../../src/model/objects.js';
import { KubeError } from '../../src/ports/kube.js';
import type { Reach } from '../../src/ports/network.js';
import { SqlError } from '../../src/ports/sql.js';
import { FakeKube } from '../support/fake-kube.js';

const OLD = { pod: 'orders-1-0', uid: 'u1' };
const FENCED = fenceName(OLD);

/** What standbys say by SQL, look by look; the last word stands. */
type Looks = ReadonlyArray<boolean | Error>;

interface Given {
  readonly reach?: Reach;
  readonly looks?: Looks;
  /** What the old primary says of itself. */
  readonly role?: string;
  /** How much of the log orders-2-0 and orders-3-0 have; nothing: they do not tell. */
  readonly positions?: readonly [number, number];
}

function setUp({ reach = 'silent', looks = [false, true], role = 'primary', positions }: Given = {}) {
  const kube = new FakeKube();
  for (const number of [1, 2, 3]) {
    kube.put('pods', {
      metadata: { name: `orders-${number}-0`, uid: `u${number}`, annotations: { status: '{}' } },
      status: { podIP: `10.0.0.${number}` },
    });
  }
  kube.put('configmaps', { metadata: { name: 'orders-sync', annotations: { leader: 'orders-1-0', sync_standby: 'orders-2-0,orders-3-0', quorum: '1' } } });
  kube.put('configmaps', { metadata: { name: 'orders-leader', annotations: { leader: 'orders-1-0', ttl: '30', transitions: '4' } } });
  kube.put('configmaps', { metadata: { name: 'orders-failover', annotations: { leader: 'orders-1-0' } } });
  const leader = () => kube.objects.get('configmaps/orders-leader')!.metadata;
  const history: Array<string | undefined> = [leader().annotations?.leader];
  kube.before = () => {
    const now = leader().annotations?.leader;
    if (now !== history.at(-1)) history.push(now);
  };
  const asked = new Map<string, number>();
  const positionOf = (host: string) => positions?.[host === '10.0.0.2' ? 0 : 1];
  const answer = (host: string) => {
    const count = asked.get(host) ?? 0;
    asked.set(host, count + 1);
    const said = looks[Math.min(count, looks.length - 1)]!;
    if (said instanceof Error) throw said;
    return [{ free: said, position: positionOf(host) }];
  };
  const report = (host: string) => ({
    state: 'running', role: host === '10.0.0.1' ? role : 'replica', timeline: 7, xlog: { received_location: positionOf(host) },
  });
  const hands: Hands = {
    kube, log: new Log({}, () => undefined),
    network: { probe: async (host) => (host === '10.0.0.1' ? reach : 'answers'), hold: () => ({ close: () => undefined }) },
    patroni: {
      get: async (host) => ({ status: 200, body: JSON.stringify(report(host)) }),
      send: async () => ({ status: 200, body: '' }),
    },
    sql: { session: ({ host }, _limitMs, work) => work({ query: async () => answer(host) }) },
    clock: { nowMs: () => 0, wall: () => new Date(0), sleep: async () => undefined, random: () => 0 },
    pods: () => [...kube.objects].filter(([key]) => key.startsWith('pods/')).map(([, object]) => object),
  };
  /** Each value that the lease has had. */
  const leases = () => {
    kube.before('get', '');
    return history;
  };
  return { kube, hands, leader, leases };
}

type World = ReturnType<typeof setUp>;

function clear({ hands, leader }: World, proof: ClearProof) {
  const action: ClearLeader = { kind: 'ClearLeader', cluster: 'orders', ...OLD, ip: '10.0.0.1', proof, leaderVersion: leader().resourceVersion };
  return execute(hands, action);
}

function release({ hands }: World) {
  return execute(hands, { kind: 'ReleaseLease', cluster: 'orders', ...OLD });
}

async function fenced(given: Given): Promise<World> {
  const world = setUp(given);
  await world.kube.patch('configmaps', 'orders-leader', { metadata: { annotations: { leader: FENCED } } });
  return world;
}

test('a fence names the incarnation that was fenced off, and a Pod with its name is no fence', () => {
  assert.deepEqual(parseFence(FENCED), OLD);
  assert.equal(parseFence('orders-1-0'), undefined);
  const facts = leaderFacts({ metadata: { name: 'orders-leader', annotations: { leader: FENCED } } });
  assert.deepEqual([facts.pod, facts.fence], [undefined, OLD]);
});

test('a lost node: the lease is fenced first and free only when the voters have let go', async () => {
  const world = setUp({ looks: [false, false, false, true] });
  assert.equal((await clear(world, 'node-lost')).done, true);
  assert.deepEqual(world.leases(), ['orders-1-0', FENCED, undefined]);
});

test('a stopping primary whose port has closed is not fenced, because its server has ended', async () => {
  const world = setUp({ reach: 'refuses' });
  assert.equal((await clear(world, 'streams-ended')).done, true);
  assert.deepEqual(world.leases(), ['orders-1-0', undefined]);
});

for (const reach of ['silent', 'answers'] as const) {
  test(`a leaving primary whose port ${reach === 'silent' ? 'is silent' : 'still answers'} is fenced, because its server may live`, async () => {
    const world = setUp({ reach });
    assert.equal((await clear(world, 'streams-ended')).done, true);
    assert.deepEqual(world.leases(), ['orders-1-0', FENCED, undefined]);
  });
}

test('a process whose Pod is gone is fenced off, and a successor of its name does not stand in the way', async () => {
  const world = setUp({ reach: 'answers' });
  world.kube.put('pods', { metadata: { name: 'orders-1-0', uid: 'u9' } });
  assert.equal((await clear(world, 'pod-removed')).done, true);
  assert.deepEqual(world.leases(), ['orders-1-0', FENCED, undefined]);
});

test('the successor of a Pod that is gone is not asked in the election, because its predecessor wrote its address', async () => {
  const world = setUp({ reach: 'answers' });
  world.kube.put('pods', { metadata: { name: 'orders-1-0', uid: 'u9', annotations: { status: '{"api_url":"http://10.0.0.1:8008"}' } } });
  await clear(world, 'pod-removed');
  const status = (pod: string) => world.kube.objects.get(`pods/${pod}`)!.metadata.annotations?.status;
  assert.deepEqual([status('orders-1-0'), status('orders-2-0')], [undefined, '{}']);
});

test('a Pod that is there is not fenced off as one that is gone', async () => {
  const world = setUp();
  assert.equal((await clear(world, 'pod-removed')).done, false);
  assert.deepEqual(world.leases(), ['orders-1-0']);
});

for (const proof of ['process-gone', 'container-dead'] as const) {
  test(`${proof} needs no fence, because it proves the end of the server itself`, async () => {
    const world = setUp({ reach: 'refuses' });
    assert.equal((await clear(world, proof)).done, true);
    assert.deepEqual(world.leases(), ['orders-1-0', undefined]);
  });
}

test('no SQL answer from a voter: the lease stays, and the outcome says why', async () => {
  const world = setUp({ looks: [new SqlError('10.0.0.2:5432/postgres', undefined, 'no answer within 300 ms')] });
  const outcome = await clear(world, 'node-lost');
  assert.equal(outcome.done, false);
  assert.match(outcome.detail, /only 0 of 2 synchronous standbys answer by SQL.*no answer within 300 ms/);
  assert.deepEqual(world.leases(), ['orders-1-0']);
});

test('a password that may not be read: the lease stays, and the missing right comes to light', async () => {
  const world = setUp({ looks: [new KubeError(403, { verb: 'get', resource: 'secrets', name: 'orders' }, 'forbidden')] });
  await assert.rejects(clear(world, 'node-lost'), /get secrets orders: 403/);
  assert.deepEqual(world.leases(), ['orders-1-0']);
});

test('voters that do not let go: the lease stays fenced until they do, and any replica releases it then', async () => {
  const world = setUp({ looks: [...Array.from({ length: 21 }, () => false), true] });
  assert.equal((await clear(world, 'node-lost')).done, false);
  assert.equal(world.leader().annotations?.leader, FENCED);
  assert.equal((await release(world)).done, true);
  assert.equal(world.leader().annotations?.leader, undefined);
});

test('a voter that goes back once more does not count, because a round of Patroni was still under way', async () => {
  const world = await fenced({ looks: [true, false] });
  assert.equal((await release(world)).done, false);
  assert.equal(world.leader().annotations?.leader, FENCED);
});

test('a fenced primary that has stepped down needs nobody to let go', async () => {
  const world = await fenced({ looks: [false], role: 'replica' });
  assert.match((await release(world)).detail, /stepped down/);
  assert.equal(world.leader().annotations?.leader, undefined);
});

test('another Pod of its name that is a standby says nothing about the one that was fenced off', async () => {
  const world = await fenced({ looks: [false], role: 'replica' });
  world.kube.put('pods', { metadata: { name: 'orders-1-0', uid: 'u9' }, status: { podIP: '10.0.0.1' } });
  assert.equal((await release(world)).done, false);
});

test('a lease that another member has taken is left alone', async () => {
  const world = await fenced({ looks: [true] });
  await world.kube.patch('configmaps', 'orders-leader', { metadata: { annotations: { leader: 'orders-2-0' } } });
  assert.equal((await release(world)).done, false);
  assert.equal(world.leader().annotations?.leader, 'orders-2-0');
});

test('two replicas at once: the one that comes late finds the lease free and does nothing', async () => {
  const world = setUp({ looks: [true] });
  const [first, second] = await Promise.all([clear(world, 'node-lost'), clear(world, 'node-lost')]);
  assert.deepEqual([first.done, second.done].sort(), [false, true]);
  assert.equal(world.leader().annotations?.leader, undefined);
});

test('a lost node: the lease goes to the voter with the most of the log, as Patroni would write it', async () => {
  const world = setUp({ positions: [100, 101] });
  assert.match((await clear(world, 'node-lost')).detail, /gave the lease of orders-1-0 to orders-3-0/);
  assert.deepEqual(world.leases(), ['orders-1-0', FENCED, 'orders-3-0']);
  const { acquireTime, renewTime, transitions, ttl } = world.leader().annotations!;
  assert.deepEqual([transitions, ttl, acquireTime], ['5', '30', renewTime]);
});

test('what a voter had before the fence held counts for nothing, because it may have got more', async () => {
  const positions: [number, number] = [102, 101];
  const world = setUp({ positions, looks: [false, false, true] });
  world.kube.before = (verb, name) => {
    if (verb === 'patch' && name === 'orders-leader') positions[1] = 103;
  };
  assert.match((await clear(world, 'node-lost')).detail, /to orders-3-0/);
});

for (const proof of ['process-gone', 'container-dead', 'pod-gone', 'streams-ended'] as const) {
  test(`${proof}: the lease goes from the dead primary to its heir in one step, so nobody has to stand for election`, async () => {
    const world = setUp({ reach: 'refuses', positions: [101, 100] });
    assert.equal((await clear(world, proof)).done, true);
    assert.deepEqual(world.leases(), ['orders-1-0', 'orders-2-0']);
  });
}

test('a dead primary whose voters do not say what they have: the lease is free, because Patroni can elect', async () => {
  const world = setUp({ reach: 'refuses' });
  assert.equal((await clear(world, 'process-gone')).done, true);
  assert.deepEqual(world.leases(), ['orders-1-0', undefined]);
});

test('a sync key that names another leader says nothing about voters of this one', async () => {
  const world = setUp({ reach: 'refuses', positions: [101, 100] });
  await world.kube.patch('configmaps', 'orders-sync', { metadata: { annotations: { leader: 'orders-2-0' } } });
  await clear(world, 'process-gone');
  assert.deepEqual(world.leases(), ['orders-1-0', undefined]);
});

test('two replicas at once: one gives the lease, and the other one does not take it away again', async () => {
  const world = setUp({ positions: [101, 100], looks: [true] });
  const [first, second] = await Promise.all([clear(world, 'node-lost'), clear(world, 'node-lost')]);
  assert.deepEqual([first.done, second.done].sort(), [false, true]);
  assert.equal(world.leader().annotations?.leader, 'orders-2-0');
});

test('a lost node loses its label after the fence, and the heir gets one with the lease, so that a Service leads to one of them at all times', async () => {
  const world = setUp({ positions: [100, 101] });
  await world.kube.patch('pods', 'orders-1-0', { metadata: { labels: { 'everest.io/role': 'primary' } } });
  const seen: string[] = [];
  world.kube.before = (verb, name) => {
    if (verb === 'patch' && seen.at(-1) !== name) seen.push(name);
  };
  await clear(world, 'node-lost');
  assert.deepEqual(seen, ['orders-leader', 'orders-1-0', 'orders-leader', 'orders-3-0']);
  assert.equal(world.kube.objects.get('pods/orders-3-0')!.metadata.labels?.['everest.io/role'], 'primary');
  assert.equal(world.kube.objects.get('pods/orders-1-0')!.metadata.labels?.['everest.io/role'], undefined);
});
