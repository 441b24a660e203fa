import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SystemClock } from '../src/adapters/system-clock.js';
import { Rounds } from '../src/rounds.js';

/** Looks until it has looked so often; each look is told its number, from 1 on. */
async function looks(count: number, rounds: Rounds, look: (number: number) => number | undefined): Promise<void> {
  const stop = new AbortController();
  let number = 0;
  await rounds.run(stop.signal, async () => {
    number += 1;
    if (number === count) stop.abort();
    return look(number);
  });
}

const HOUR_MS = 3_600_000;

test('a change during a look is not lost: the next look follows at once', { timeout: 5000 }, async () => {
  const rounds = new Rounds(new SystemClock());
  await looks(3, rounds, () => {
    rounds.nudge();
    return HOUR_MS;
  });
});

test('a rest without an end is ended by a change and by the stop, so that nothing hangs', { timeout: 5000 }, async () => {
  const rounds = new Rounds(new SystemClock());
  await looks(2, rounds, (number) => {
    if (number === 1) setImmediate(() => rounds.nudge());
    return undefined;
  });
});

test('changes within the bunch lead to one look, since each look asks all members', { timeout: 5000 }, async () => {
  const clock = new SystemClock();
  const rounds = new Rounds(clock, 50);
  const times: number[] = [];
  await looks(2, rounds, (number) => {
    times.push(clock.nowMs());
    if (number === 1) [0, 10, 20].forEach((ms) => setTimeout(() => rounds.nudge(), ms));
    return HOUR_MS;
  });
  assert.ok(times[1]! - times[0]! >= 49, `${times[1]! - times[0]!} ms`);
});
