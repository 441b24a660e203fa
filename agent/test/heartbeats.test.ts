import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heartbeats } from '../src/heartbeats.js';
import { LeapingClock } from './support/leaping-clock.js';
import type { Network } from '../src/ports/network.js';

/** Asks for so many seconds of a clock that leaps; `silent` holds the addresses that do not answer. */
class Watch {
  readonly asked: string[] = [];
  readonly lost: string[] = [];
  readonly silent = new Set<string>();
  private readonly clock = new LeapingClock();
  readonly heartbeats = new Heartbeats({
    clock: this.clock,
    network: { probe: (ip: string) => this.probe(ip) } as unknown as Network,
  });

  add(ip: string, hostIp?: string): () => void {
    return this.heartbeats.watch({ ip, hostIp }, () => this.lost.push(ip));
  }

  async seconds(count: number): Promise<void> {
    const stop = new AbortController();
    const end = this.clock.nowMs() + count * 1000;
    const sleep = this.clock.sleep.bind(this.clock);
    this.clock.sleep = async (milliseconds, signal) => {
      await sleep(milliseconds, signal);
      if (this.clock.nowMs() > end) stop.abort();
    };
    await this.heartbeats.run(stop.signal);
    this.clock.sleep = sleep;
  }

  private async probe(ip: string) {
    this.asked.push(ip);
    return this.silent.has(ip) ? 'silent' : 'answers';
  }
}

test('one primary is asked each second, since a node without power ends no connection', async () => {
  const watch = new Watch();
  watch.add('10.0.0.1', 'node-1');
  await watch.seconds(10);
  assert.equal(watch.asked.length, 10);
  assert.deepEqual(watch.lost, []);
});

test('each node is asked each second and each primary every ten, however many there are on a node', async () => {
  const watch = new Watch();
  for (let count = 0; count < 100; count += 1) watch.add(`10.0.0.${count}`, `node-${count % 5}`);
  await watch.seconds(10);
  assert.ok(Math.abs(watch.asked.length - 100) <= 1, `${watch.asked.length} in 10 s`);
  assert.ok(new Set(watch.asked).size >= 99, 'one primary was asked twice before another one');
});

test('many nodes share a budget, since each question costs CPU', async () => {
  const watch = new Watch();
  for (let count = 0; count < 100; count += 1) watch.add(`10.0.0.${count}`, `node-${count}`);
  await watch.seconds(10);
  assert.ok(Math.abs(watch.asked.length - 400) <= 1, `${watch.asked.length} in 10 s`);
});

test('one silence leads to a question to all primaries of the node, so that all are noticed within seconds', async () => {
  const watch = new Watch();
  for (let count = 0; count < 60; count += 1) {
    watch.add(`10.0.0.${count}`, `node-${count % 3}`);
    if (count % 3 === 1) watch.silent.add(`10.0.0.${count}`);
  }
  await watch.seconds(2);
  assert.deepEqual([...watch.lost].sort(), [...watch.silent].sort());
});

test('a primary alone that is silent takes no neighbour along', async () => {
  const watch = new Watch();
  ['1', '2', '3'].forEach((last) => watch.add(`10.0.0.${last}`, 'node-1'));
  watch.silent.add('10.0.0.2');
  await watch.seconds(10);
  assert.deepEqual(watch.lost, ['10.0.0.2']);
  assert.equal(watch.asked.filter((ip) => ip === '10.0.0.2').length, 1, 'what is lost is not asked any more');
});

test('without the address of a node a primary counts as a node of its own; one that is not watched is not asked', async () => {
  const watch = new Watch();
  const end = watch.add('10.0.0.1');
  watch.add('10.0.0.2');
  end();
  end();
  await watch.seconds(5);
  assert.deepEqual(new Set(watch.asked), new Set(['10.0.0.2']));
  assert.equal(watch.asked.length, 5);
});
