import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hands } from '../../src/execute/executor.js';
import { switchover } from '../../src/execute/switchover.js';
import { LeapingClock } from '../support/leaping-clock.js';

const ACTION = { kind: 'Switchover', cluster: 'orders', from: 'orders-1-0', to: 'orders-2-0' } as const;

/** The heir's Patroni has not looked since the promotion to timeline 7; `sees` is called when it is woken. */
function world(wakes: boolean, request?: string) {
  const sent: string[] = [];
  let heir = 6;
  let leader = ACTION.from as string;
  const status = { metadata: { resourceVersion: '1', annotations: { 'everest.io/switchover': request ?? '' } } };
  const hands = {
    clock: new LeapingClock(),
    pods: () => [ACTION.from, ACTION.to].map((name, index) => ({ metadata: { name }, status: { podIP: `10.0.0.${index + 1}` } })),
    kube: {
      get: async (_: string, name: string) => (name === 'orders-leader' ? { metadata: { annotations: { leader } } } : status),
      patch: async () => { sent.push('request taken'); },
    },
    patroni: {
      get: async (ip: string) => ({ status: 200, body: JSON.stringify({ state: 'running', role: 'replica', timeline: ip === '10.0.0.2' ? heir : 7 }) }),
      send: async (ip: string, { path }: { path: string }) => {
        sent.push(`${path} to ${ip}`);
        if (path === '/config' && wakes) heir = 7;
        if (path === '/switchover') leader = ACTION.to;
        return { status: 200, body: '' };
      },
    },
  } as unknown as Hands;
  return { sent, run: () => switchover(hands, { ...ACTION, ...(request ? { request } : {}) }) };
}

test('an heir whose Patroni has not seen the last promotion is woken first, since it would be refused for up to ten seconds', async () => {
  const { sent, run } = world(true);
  assert.deepEqual(await run(), { done: true, detail: 'orders-2-0 is primary' });
  assert.deepEqual(sent, ['/config to 10.0.0.2', '/switchover to 10.0.0.1']);
});

test('an heir that does not see it keeps the request of a person for the next try', async () => {
  const { sent, run } = world(false, 'any');
  assert.equal((await run()).done, false);
  assert.deepEqual(sent, ['/config to 10.0.0.2']);
});
