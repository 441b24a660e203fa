import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execute, type Hands } from '../../src/execute/executor.js';
import { Log } from '../../src/log.js';
import { FakeKube } from '../support/fake-kube.js';

interface Given {
  readonly lease?: string;
  readonly own?: object;
  readonly primary?: object;
  readonly answer?: number;
}

function rebuild({ lease = 'orders-1-0', own = {}, primary = {}, answer = 200 }: Given) {
  const kube = new FakeKube();
  for (const number of [1, 2]) kube.put('pods', { metadata: { name: `orders-${number}-0`, uid: `u${number}` }, status: { podIP: `10.0.0.${number}` } } as never);
  kube.put('configmaps', { metadata: { name: 'orders-leader', annotations: { leader: lease } } });
  const sent: string[] = [];
  const said = (host: string) => (host === '10.0.0.1'
    ? { state: 'running', role: 'primary', timeline: 2, ...primary } : { state: 'running', role: 'replica', timeline: 1, ...own });
  const hands = {
    kube, log: new Log({}, () => undefined),
    patroni: {
      get: async (host: string) => ({ status: 200, body: JSON.stringify(said(host)) }),
      send: async (host: string, { path }: { path: string }) => { sent.push(`${host}${path}`); return { status: answer, body: 'why' }; },
    },
    pods: () => [...kube.objects].filter(([key]) => key.startsWith('pods/')).map(([, object]) => object),
  } as unknown as Hands;
  return { sent, outcome: execute(hands, { kind: 'RebuildMember', cluster: 'orders', pod: 'orders-2-0', uid: 'u2' }) };
}

test('a standby that does not get on is copied anew by its own Patroni', async () => {
  const { sent, outcome } = rebuild({});
  assert.equal((await outcome).done, true);
  assert.deepEqual(sent, ['10.0.0.2/reinitialize']);
});

test('nothing is copied over the holder of the lease, without a primary, or over one that streams or is a primary itself', async () => {
  for (const given of [
    { lease: 'orders-2-0' }, { primary: { role: 'replica' } }, { primary: { state: 'starting' } }, { own: { role: 'primary' } },
    { own: { timeline: 2, replication_state: 'streaming' } },
  ]) {
    const { sent, outcome } = rebuild(given);
    assert.equal((await outcome).done, false);
    assert.deepEqual(sent, []);
  }
});

test('a refusal of Patroni is told', async () => {
  assert.match((await rebuild({ answer: 503 }).outcome).detail, /refused to rebuild orders-2-0 \(503\): why/);
});
