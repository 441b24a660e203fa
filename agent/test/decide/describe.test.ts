import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDecisions, ruleIds } from '../../src/decide/describe.js';

test('every rule stands in the documentation once, with a condition and what it does', () => {
  const text = describeDecisions();
  const ids = ruleIds();
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(text, new RegExp(`^\\| \`${id}\` \\| [^|]{8,} \\| [^|]{4,} \\|$`, 'm'));
});
