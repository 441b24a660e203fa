import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hands } from '../../src/execute/executor.js';
import { wakePatroni } from '../../src/execute/wake-patroni.js';

function hands(status: number, sent: unknown[]): Hands {
  return {
    pods: () => [{ metadata: { name: 'orders-1-0' }, status: { podIP: '10.0.0.1' } }],
    patroni: { send: async (ip: string, request: unknown) => { sent.push([ip, request]); return { status, body: '' }; } },
  } as unknown as Hands;
}

const WAKE = { kind: 'WakePatroni', cluster: 'orders', pod: 'orders-1-0' } as const;

test('Patroni is woken by a change of its configuration that changes nothing, because it knows no other call', async () => {
  const sent: unknown[] = [];
  assert.deepEqual(await wakePatroni(hands(200, sent), WAKE), { done: true, detail: 'woke Patroni on orders-1-0' });
  assert.deepEqual(sent, [['10.0.0.1', { method: 'PATCH', path: '/config', body: { everest_wake: null } }]]);
});

test('an answer that says no is no success, so that the status tells it', async () => {
  assert.equal((await wakePatroni(hands(503, []), WAKE)).done, false);
});
