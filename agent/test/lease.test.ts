import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaderLease } from '../src/lease.js';
import { Log } from '../src/log.js';
import { FakeKube } from './support/fake-kube.js';
import type { Clock } from '../src/ports/clock.js';

/** Two replicas on one clock: each round sleeps, and the clock goes on by what was slept. */
class StepClock implements Clock {
  now = 0;
  private sleepers: Array<{ at: number; wake: () => void }> = [];
  nowMs = () => this.now;
  wall = () => new Date(this.now);
  random = () => 0.5;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.sleepers.push({ at: this.now + milliseconds, wake: resolve });
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async forward(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    for (; this.now < end; this.now += 500) {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      const due = this.sleepers.filter((sleeper) => sleeper.at <= this.now);
      this.sleepers = this.sleepers.filter((sleeper) => sleeper.at > this.now);
      due.forEach((sleeper) => sleeper.wake());
    }
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  }
}

function replicas() {
  const kube = new FakeKube();
  const clock = new StepClock();
  const make = (identity: string) => {
    const stop = new AbortController();
    const lease = new LeaderLease({ kube, clock, log: new Log({}, () => undefined) }, { lease: 'agent', identity }, () => undefined);
    const ended = lease.run(stop.signal);
    return { lease, stop, ended };
  };
  return { kube, clock, a: make('a'), b: make('b') };
}

test('one replica holds the Lease, and never both', async () => {
  const { clock, a, b } = replicas();
  for (let step = 0; step < 60; step += 1) {
    await clock.forward(1000);
    assert.ok(!(a.lease.held && b.lease.held));
  }
  assert.ok(a.lease.held || b.lease.held);
});

test('after a clean stop the other one takes over within seconds', async () => {
  const { clock, a, b } = replicas();
  await clock.forward(10_000);
  const [holder, other] = a.lease.held ? [a, b] : [b, a];
  holder.stop.abort();
  await clock.forward(6_000);
  assert.equal(other.lease.held, true);
});

test('a holder that cannot renew gives up before anybody else may take over', async () => {
  const { kube, clock, a, b } = replicas();
  await clock.forward(10_000);
  const [holder, other] = a.lease.held ? [a, b] : [b, a];
  let blocked = true;
  kube.before = () => { if (blocked) throw new Error('cut off'); };
  await clock.forward(20_000);
  assert.equal(holder.lease.held, false);
  blocked = false;
  await clock.forward(30_000);
  assert.ok(holder.lease.held !== other.lease.held);
});

test('a holder does not read what only it writes: of two replicas only the other one reads', async () => {
  const { kube, clock } = replicas();
  await clock.forward(10_000);
  let reads = 0;
  kube.before = (verb) => { reads += Number(verb === 'get'); };
  await clock.forward(8_000);
  assert.equal(reads, 2);
});

test('a holder whose Lease somebody else has taken reads it anew and gives it up', async () => {
  const { kube, clock, a, b } = replicas();
  await clock.forward(10_000);
  const [holder] = a.lease.held ? [a] : [b];
  const lease = kube.objects.get('leases/agent')!;
  kube.put('leases', { ...lease, spec: { holderIdentity: 'c', renewTime: new Date(clock.now).toISOString(), leaseTransitions: 9 } } as typeof lease);
  await clock.forward(4_500);
  const read: string[] = [];
  kube.before = (verb) => read.push(verb);
  await clock.forward(4_000);
  assert.ok(read.includes('get'));
  await clock.forward(7_000);
  assert.equal(holder.lease.held, false);
});
