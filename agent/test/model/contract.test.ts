import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readContract } from '../../src/model/contract.js';
import { contract } from '../support/operations.js';

const object = (text: string | undefined) => ({ metadata: { name: 'orders-contract' }, data: text === undefined ? {} : { 'contract.json': text } });
const changed = (change: object) => object(JSON.stringify({ ...contract(), ...change }));

test('reads a contract', () => assert.equal(readContract(object(JSON.stringify(contract()))).ok, true));

const BAD: Array<[string, ReturnType<typeof object>, RegExp]> = [
  ['no key', object(undefined), /no key contract\.json/],
  ['no JSON', object('{'), /no JSON/],
  ['a list', object('[]'), /no JSON object/],
  ['a newer version', changed({ contractVersion: 99 }), /99, this agent knows 1; upgrade the agent/],
  ['no version', changed({ contractVersion: undefined }), /undefined/],
  ['another engine', changed({ engine: 'mariadb' }), /mariadb/],
  ['another cluster\'s document', changed({ cluster: 'other' }), /does not belong to ConfigMap orders-contract/],
  ['no members', changed({ members: [] }), /members/],
  ['a member without a Pod', changed({ members: [{ name: 'a', group: 'g', promotable: true }] }), /members\[0\]\.pod/],
  ['no Patroni section', changed({ patroni: 5 }), /patroni is missing/],
  ['no parameters', changed({ patroni: { postgresql: { pg_hba: [] } } }), /parameters/],
];

for (const [what, given, message] of BAD) {
  test(`refuses ${what} and says so, because one bad contract must not stop the others`, () => {
    const reading = readContract(given);
    assert.equal(reading.ok, false);
    assert.match(reading.ok ? '' : reading.problem, message);
  });
}
