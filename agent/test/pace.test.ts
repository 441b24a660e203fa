import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pauseOf } from '../src/pace.js';

const ROUTINE = { everyMs: 1000, mostPerSecond: 40 };

test('few clusters are each looked at as often as it is useful', () => {
  assert.equal(pauseOf(ROUTINE, 0), 1000);
  assert.equal(pauseOf(ROUTINE, 40), 1000);
});

test('many clusters share a budget, so that an agent of a hundred costs no more than one of forty', () => {
  assert.equal(pauseOf(ROUTINE, 100), 2500);
});
