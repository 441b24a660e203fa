import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILURE_ROWS } from '../../src/decide/backup-failure.js';
import { describeDecisions, ruleIds } from '../../src/decide/describe.js';
import { FAILOVER_TABLE } from '../../src/decide/failover.js';
import { GALERA_TABLES } from '../../src/decide/galera/decide.js';
import { OPERATIONS_TABLES } from '../../src/decide/operations.js';
import { SNAPSHOT_FAILURE_ROWS } from '../../src/decide/snapshot-failure.js';

test('the documented tables are those whose rows must each have an example', () => {
  const tables = [FAILOVER_TABLE, ...OPERATIONS_TABLES, ...GALERA_TABLES];
  const withExamples = tables.flatMap((table) => (table.rows as ReadonlyArray<{ id: string }>).map((row) => row.id));
  assert.deepEqual(ruleIds(), withExamples);
});

test('every kind of failure of a backup stands in the documentation with what to do', () => {
  const text = describeDecisions();
  for (const { kind } of [...FAILURE_ROWS, ...SNAPSHOT_FAILURE_ROWS]) assert.match(text, new RegExp(`^\\| \`${kind}\` \\| [^|]{8,} \\| [^|]{8,} \\|$`, 'm'));
});

test('every rule stands in the documentation once, with a condition and what it does', () => {
  const text = describeDecisions();
  const ids = ruleIds();
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(text, new RegExp(`^\\| \`${id}\` \\| [^|]{8,} \\| [^|]{4,} \\|$`, 'm'));
});
