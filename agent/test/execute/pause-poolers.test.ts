import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { execute, type Hands, type Outcome } from '../../src/execute/executor.js';
import { whilePaused } from '../../src/execute/pause-poolers.js';
import { Log } from '../../src/log.js';
import type { SqlPlace } from '../../src/member-sql.js';
import { SqlError } from '../../src/ports/sql.js';
import { FakeKube } from '../support/fake-kube.js';

const POOLERS = ['10.0.1.1', '10.0.1.2'];
const DONE: Outcome = { done: true, detail: 'orders-2-0 is primary' };

/** A cluster whose primary is seen through the Service, with two poolers; `fails` tells what gets no answer. */
function world(fails: (call: number, text: string) => boolean = () => false, knock: 'answers' | 'silent' = 'answers') {
  const told: string[] = [];
  const server = { address: '10.0.0.1', since: 1 };
  let now = 0;
  let calls = 0;
  const ask = (host: string, text: string) => {
    calls += 1;
    if (POOLERS.includes(host)) told.push(`${text} ${host}`);
    if (fails(calls, text)) throw new SqlError(host, undefined, 'no answer');
    return [{ address: server.address, since: new Date(server.since), standby: false }];
  };
  const hands: Hands = {
    kube: new FakeKube(), log: new Log({}, () => undefined),
    network: { probe: async (host) => (host === POOLERS[1] ? knock : 'answers'), hold: () => ({ close: () => undefined }) },
    patroni: { get: async () => ({ status: 200, body: '' }), send: async () => ({ status: 200, body: '' }) },
    sql: { session: (place: SqlPlace, _limit, work) => work({ query: async (text) => ask(place.host, text) }) },
    clock: {
      nowMs: () => now, wall: () => new Date(now), random: () => 0,
      sleep: async (milliseconds) => { now += milliseconds; },
    },
    pods: (_, component) => (component === 'pooler' ? POOLERS.map((ip, index) => ({
      metadata: { name: `pooler-${index + 1}`, labels: { 'everest.io/pausable': 'true' } }, status: { podIP: ip },
    })) : []),
  };
  const switchOver = async (): Promise<Outcome> => {
    told.push('work');
    server.address = '10.0.0.2';
    return DONE;
  };
  return { hands, told, server, switchOver };
}

test('clients wait from before the work until the Service leads to another server', async () => {
  const { hands, told, switchOver } = world();
  const outcome = await whilePaused(hands, 'orders', switchOver);
  assert.deepEqual(told, ['PAUSE 10.0.1.1', 'PAUSE 10.0.1.2', 'work', 'RESUME 10.0.1.1', 'RESUME 10.0.1.2']);
  assert.equal(outcome.done, true);
  assert.match(outcome.detail, /^orders-2-0 is primary; clients of 2 pooler Pods waited/);
  assert.equal(outcome.poolersPaused, false);
});

test('a look that hears nothing is given up early, since rejections may be withheld; a slow server gets longer ones', async () => {
  const { hands, switchOver } = world();
  const limits: number[] = [];
  let mute = 0;
  const sql: Hands['sql'] = {
    session: async (place, limitMs, work) => {
      if (mute > 0 && !POOLERS.includes(place.host)) {
        mute -= 1;
        limits.push(limitMs);
        await hands.clock.sleep(limitMs);
        throw new SqlError(place.host, undefined, 'no answer');
      }
      return hands.sql.session(place, limitMs, work);
    },
  };
  await whilePaused({ ...hands, sql }, 'orders', async () => {
    mute = 5;
    return switchOver();
  });
  assert.deepEqual(limits, [200, 400, 800, 1000, 1000]);
});

test('a restart in place is seen by its new start, since its address stays', async () => {
  const { hands, told, server } = world();
  await whilePaused(hands, 'orders', async () => {
    told.push('work');
    server.since = 2;
    return DONE;
  });
  assert.equal(told.at(-1), 'RESUME 10.0.1.2');
});

test('work that fails changes no primary, so clients go on with the old one', async () => {
  const { hands, told } = world();
  const outcome = await whilePaused(hands, 'orders', async () => ({ done: false, detail: 'refused' }));
  assert.deepEqual(told.slice(2), ['RESUME 10.0.1.1', 'RESUME 10.0.1.2']);
  assert.equal(outcome.done, false);
});

test('a pooler that is not there is left out and named, and holds nobody up', async () => {
  const { hands, told, switchOver } = world(undefined, 'silent');
  const outcome = await whilePaused(hands, 'orders', switchOver);
  assert.ok(!told.includes('PAUSE 10.0.1.2'));
  assert.match(outcome.detail, /pooler-2 does not answer and was not paused/);
});

test('nobody is paused when the agent cannot see the primary, because it could not tell when to go on', async () => {
  const { hands, told, switchOver } = world((_, text) => text.startsWith('SELECT'));
  const outcome = await whilePaused(hands, 'orders', switchOver);
  assert.deepEqual(told, ['work']);
  assert.match(outcome.detail, /poolers were not paused, since orders-rw did not answer/);
});

test('transactions that do not end in time are cut and named', async () => {
  const { hands, switchOver } = world((_, text) => text === 'PAUSE');
  assert.match((await whilePaused(hands, 'orders', switchOver)).detail, /pooler-1 did not pause/);
});

test('a pooler that did not answer to RESUME is remembered as paused', async () => {
  const { hands, switchOver } = world((_, text) => text === 'RESUME');
  assert.equal((await whilePaused(hands, 'orders', switchOver)).poolersPaused, true);
});

test('a pause that was left behind ends only when a primary is served', async () => {
  const action = { kind: 'ResumePoolers', cluster: 'orders' } as const;
  const unserved = world((_, text) => text.startsWith('SELECT'));
  assert.deepEqual(await execute(unserved.hands, action), { done: false, detail: 'no primary is served yet', poolersPaused: true });
  const served = world();
  assert.equal((await execute(served.hands, action)).done, true);
  assert.deepEqual(served.told, ['RESUME 10.0.1.1', 'RESUME 10.0.1.2']);
});

test('RESUME follows PAUSE whatever question gets no answer and whatever the work does', async () => {
  const plans = fc.tuple(fc.uniqueArray(fc.integer({ min: 1, max: 12 })), fc.constantFrom('done', 'refused', 'throws'));
  await fc.assert(fc.asyncProperty(plans, async ([silent, end]) => {
    const { hands, told, switchOver } = world((call) => silent.includes(call));
    const outcome = await whilePaused(hands, 'orders', async () => {
      if (end === 'throws') throw new Error('the API is away');
      return end === 'refused' ? { done: false, detail: 'refused' } : switchOver();
    }).catch(() => undefined);
    for (const ip of POOLERS.filter((pooler) => told.includes(`PAUSE ${pooler}`))) {
      assert.ok(told.lastIndexOf(`RESUME ${ip}`) > told.lastIndexOf(`PAUSE ${ip}`), told.join(', '));
    }
    const lost = POOLERS.some((ip) => told.includes(`PAUSE ${ip}`)) && silent.length > 0;
    assert.ok(outcome === undefined || outcome.poolersPaused !== undefined || !lost);
  }), { numRuns: 300 });
});
