import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockNews, clockOffset, clockStatus } from '../../src/decide/primary-clock.js';

const ASKED = { from: 1_000_000, to: 1_004_000 };

test('a clock agrees when the time of the question explains the difference, because a slow answer is no wrong clock', () => {
  assert.equal(clockOffset(ASKED.from - 4_000, ASKED), 0);
  assert.equal(clockOffset(ASKED.to + 4_000, ASKED), 0);
});

test('a clock differs by what the question cannot explain, ahead or behind', () => {
  assert.equal(clockOffset(ASKED.to + 150_000, ASKED), 150_000);
  assert.equal(clockOffset(ASKED.from - 150_000, ASKED), -150_000);
});

test('the status says whose clock is off, by how much, and what comes of it', () => {
  assert.equal(clockStatus('orders-1-0', 0), undefined);
  const status = clockStatus('orders-1-0', -150_400);
  assert.equal(status?.offsetSeconds, -150);
  assert.match(status.problem, /orders-1-0 is 150 s behind the agent's/);
  assert.match(status.fix, /Name the latest, a place, a transaction or a restore point/);
});

test('it is told when it begins and when it ends, and not in between or while nobody can be asked', () => {
  const clock = clockStatus('orders-1-0', 150_000)!;
  const [well, off] = [{ state: 'archiving' }, { state: 'archiving', clock }] as const;
  assert.equal(clockNews(undefined, well), undefined);
  assert.equal(clockNews(well, off)?.ruleId, 'clock-differs');
  assert.equal(clockNews(off, { ...off, clock: { ...clock, offsetSeconds: 149 } }), undefined);
  assert.equal(clockNews(off, { state: 'unknown' }), undefined);
  assert.equal(clockNews(off, well)?.ruleId, 'clock-agrees');
});
