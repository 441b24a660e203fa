import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_MEMORY } from '../../src/decide/failover.js';
import { lookAt, type Senses, type Stores } from '../../src/observe/failover-view.js';
import { Store } from '../../src/observe/store.js';
import type { KubeObject } from '../../src/ports/kube.js';
import type { Reach } from '../../src/ports/network.js';

function storeOf(objects: readonly KubeObject[]): Store {
  const get = (name: string) => objects.find((object) => object.metadata.name === name);
  return { current: true, get, of: () => objects, read: Store.prototype.read } as unknown as Store;
}

function setUp(reach: Reach) {
  const pods = [1, 2, 3].map((number) => ({
    metadata: { name: `orders-${number}-0`, uid: `u${number}`, labels: { 'everest.io/cluster': 'orders' } },
    status: { podIP: `10.0.0.${number}` },
  }));
  const dcs = [{ metadata: { name: 'orders-leader', annotations: { leader: 'orders-1-0' }, resourceVersion: '7' } }];
  const asked: string[] = [];
  const senses: Senses = {
    network: {
      probe: async (host, port) => {
        asked.push(`${host}:${port}`);
        return reach;
      },
      hold: () => ({ close: () => undefined }),
    },
    patroni: {
      get: async (host) => {
        asked.push(`report of ${host}`);
        return { status: 200, body: JSON.stringify({ state: 'running', role: 'replica' }) };
      },
      send: () => Promise.reject(new Error('nothing is sent by looking')),
    },
    clock: { nowMs: () => 1000, wall: () => new Date(0), sleep: async () => undefined, random: () => 0 },
  };
  const stores: Stores = { pods: storeOf(pods), dcs: storeOf(dcs) };
  const look = () => lookAt(stores, senses, { cluster: 'orders', promotable: [], preferAvailability: false }, { link: 'broken', memory: NO_MEMORY });
  return { look, asked };
}

test('ports that refuse are asked until it is proven, and the standbys once after that, because each question keeps the heir from its promotion', async () => {
  const { look, asked } = setUp('refuses');
  const snapshot = await look();
  assert.equal(snapshot.reach?.refusals, 3);
  assert.deepEqual(asked.slice(-2), ['report of 10.0.0.2', 'report of 10.0.0.3']);
  assert.equal(asked.length, 3 * 2 + 2);
});

test('a silent holder is asked once in a look, because each answer takes the whole time-out', async () => {
  const { look, asked } = setUp('silent');
  const snapshot = await look();
  assert.equal(snapshot.reach?.refusals, undefined);
  assert.equal(asked.filter((what) => what.startsWith('10.0.0.1')).length, 2);
});
