import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execute, type Hands } from '../../src/execute/executor.js';
import { Log } from '../../src/log.js';
import type { ClearLeader } from '../../src/model/actions.js';
import type { Reach } from '../../src/ports/network.js';
import { FakeKube } from '../support/fake-kube.js';

const action: ClearLeader = { kind: 'ClearLeader', cluster: 'orders', pod: 'orders-1-0', uid: 'u1', ip: '10.0.0.1', proof: 'process-gone', leaderVersion: undefined };

function setUp(reach: Reach, streaming = false) {
  const kube = new FakeKube();
  for (const number of [1, 2, 3]) {
    kube.put('pods', { metadata: { name: `orders-${number}-0`, uid: `u${number}`, annotations: { status: '{}' } }, status: { podIP: `10.0.0.${number}` } });
  }
  kube.put('configmaps', { metadata: { name: 'orders-sync', annotations: { leader: 'orders-1-0', sync_standby: 'orders-2-0,orders-3-0', quorum: '1' } } });
  kube.put('configmaps', { metadata: { name: 'orders-leader', annotations: { leader: 'orders-1-0' } } });
  const report = { state: 'running', role: 'replica', ...(streaming ? { replication_state: 'streaming' } : {}) };
  const hands: Hands = {
    kube, log: new Log({}, () => undefined),
    network: { probe: async (host) => (host === '10.0.0.1' ? reach : 'answers'), hold: () => ({ close: () => undefined }) },
    patroni: { get: async () => ({ status: 200, body: JSON.stringify(report) }), send: async () => ({ status: 200, body: '' }) },
    // Standbys that have let go of everybody.
    sql: { session: (_place, _limitMs, work) => work({ query: async () => [{ free: true }] }) },
    clock: { nowMs: () => 0, wall: () => new Date(0), sleep: async () => undefined, random: () => 0 },
    pods: () => [...kube.objects].filter(([key]) => key.startsWith('pods/')).map(([, object]) => object),
  };
  const leader = () => kube.objects.get('configmaps/orders-leader')!.metadata;
  return { kube, hands, leader };
}

test('clears the lease of a process that still refuses', async () => {
  const { hands, leader } = setUp('refuses');
  assert.equal((await execute(hands, action)).done, true);
  assert.equal(leader().annotations?.leader, undefined);
});

for (const reach of ['answers', 'silent'] as const) {
  test(`leaves the lease alone when the process is ${reach} at the last moment, because it was to refuse`, async () => {
    const { hands, leader } = setUp(reach);
    assert.equal((await execute(hands, action)).done, false);
    assert.equal(leader().annotations?.leader, 'orders-1-0');
  });
}

test('leaves the lease alone when another member took it meanwhile', async () => {
  const { hands, kube, leader } = setUp('refuses');
  await kube.patch('configmaps', 'orders-leader', { metadata: { annotations: { leader: 'orders-2-0' } } });
  assert.equal((await execute(hands, action)).done, false);
  assert.equal(leader().annotations?.leader, 'orders-2-0');
});

test('reads and proves again after a conflict, because the last renewal may have come late', async () => {
  const { hands, kube, leader } = setUp('refuses');
  let renewals = 1;
  kube.before = (verb, name) => {
    if (verb === 'patch' && name === 'orders-leader' && renewals-- > 0) kube.put('configmaps', kube.objects.get('configmaps/orders-leader')!);
  };
  assert.equal((await execute(hands, action)).done, true);
  assert.equal(leader().annotations?.leader, undefined);
});

test('a lost node: clears only the version that was seen when the silence began', async () => {
  const { hands, leader } = setUp('silent');
  const seen = leader().resourceVersion!;
  assert.equal((await execute(hands, { ...action, proof: 'node-lost', leaderVersion: 'older' })).done, false);
  assert.equal((await execute(hands, { ...action, proof: 'node-lost', leaderVersion: seen })).done, true);
});

test('a lost node: leaves the lease alone when a standby streams again', async () => {
  const { hands, leader } = setUp('silent', true);
  assert.equal((await execute(hands, { ...action, proof: 'node-lost', leaderVersion: leader().resourceVersion })).done, false);
});

test('a lost node: takes its address off first, so that the election does not wait for it', async () => {
  const { hands, kube, leader } = setUp('silent');
  await execute(hands, { ...action, proof: 'node-lost', leaderVersion: leader().resourceVersion });
  assert.equal(kube.objects.get('pods/orders-1-0')!.metadata.annotations?.status, undefined);
  assert.notEqual(kube.objects.get('pods/orders-2-0')!.metadata.annotations?.status, undefined);
});

test('the stale label of a Pod goes only from the very Pod that was seen dead', async () => {
  const { hands, kube } = setUp('silent');
  await kube.patch('configmaps', 'orders-leader', { metadata: { annotations: { leader: 'orders-2-0' } } });
  await assert.rejects(execute(hands, { kind: 'RemoveStaleRole', cluster: 'orders', pod: 'orders-1-0', uid: 'other' }), /409/);
});

test('never evicts the holder of the lease', async () => {
  const { hands, kube } = setUp('answers');
  const evict = { kind: 'EvictPod', cluster: 'orders', pod: 'orders-1-0', uid: 'u1', evenPrimary: false } as const;
  assert.equal((await execute(hands, evict)).done, false);
  assert.deepEqual(kube.evicted, []);
  assert.equal((await execute(hands, { ...evict, pod: 'orders-2-0', uid: 'u2' })).done, true);
});
