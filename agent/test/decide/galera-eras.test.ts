/** After a restore in place, or the way back, data of an earlier era never count beside those of a later one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideGalera } from '../../src/decide/galera/decide.js';
import type { GaleraReport } from '../../src/model/galera/member.js';
import { NO_GALERA_MEMORY } from '../../src/model/galera/snapshot.js';
import {
  at, bootstraps, FIRST, galera, grant, MEMBERS, OTHER_UUID, synced, waiting,
} from '../support/galera.js';

const [ONE, TWO, THREE] = MEMBERS;
const ERA = { number: 1, by: 'restore-1' };
const BACK = { number: 2, by: 'restore-1 put back' };
const THIRD = { n: 3, id: 'b-3', member: ONE, position: at(50) };
const moved = (name: string): GaleraReport =>
  waiting(name, undefined, { data: 'empty', bootstrap: undefined, lastView: [], era: ERA });
const restored = (name: string) => synced(name, { era: ERA, position: at(7, OTHER_UUID) });

function decide(reports: GaleraReport[], record = bootstraps({ confirmed: THIRD })) {
  const memory = { ...NO_GALERA_MEMORY, evicted: ['g-3'] };
  const { ruleId, because, actions: [action] } = decideGalera(galera({ reports, record }), memory, 100_000, true);
  return { ruleId, because, action };
}

test('volumes that were all set aside are a new beginning, although the cluster had data before', () => {
  const { ruleId, action } = decide(MEMBERS.map(moved));
  assert.equal(ruleId, 'begin-new');
  assert.deepEqual((action as { grant: object }).grant, { kind: 'initial', member: ONE, bootId: 'boot-1', era: 1, position: undefined, survivors: [] });
});

test('empty volumes of an era in which the cluster had data are a loss', () => {
  assert.match(decide(MEMBERS.map(moved), bootstraps({ confirmed: FIRST, era: 1 })).because, /all volumes are empty, although/);
});

test('nobody begins while a member has not been through what others have', () => {
  assert.match(decide([moved(ONE), moved(TWO), waiting(THREE, 100)]).because, /the data of orders-3 are from before restore-1/);
  assert.match(decide([moved(ONE), moved(TWO), waiting(THREE, undefined, { data: 'empty' })]).because, /orders-3 has not been through restore-1/);
  const otherwise = { era: { number: 1, by: 'restore-2' } };
  assert.match(decide([moved(ONE), moved(TWO), waiting(THREE, 100, otherwise)]).because, /orders-3 has not been through restore-1, but through something else/);
});

test('numbers of bootstraps begin anew in each era, so the restored data count although the old ones had more', () => {
  const reports = MEMBERS.map((name) => waiting(name, 7, { era: ERA }));
  assert.equal(decide(reports).ruleId, 'begin-newest');
  assert.equal(decide(reports, bootstraps({ confirmed: THIRD, era: 2 })).ruleId, 'choice-unclear');
});

test('after the way back the old data count, although the restored ones were confirmed', () => {
  const reports = MEMBERS.map((name) => waiting(name, name === TWO ? 101 : 100, { era: BACK }));
  const { ruleId, action } = decide(reports, bootstraps({ confirmed: THIRD, era: 1 }));
  assert.deepEqual([ruleId, (action as { grant: { member: string } }).grant.member], ['begin-newest', TWO]);
});

test('a grant of an earlier era says nothing of the data of this one', () => {
  const pair = { era: ERA, lastView: [ONE, THREE] };
  const reports = [waiting(ONE, 7, pair), { ...moved(TWO), lastView: [ONE, THREE] }, waiting(THREE, 7, pair)];
  assert.equal(decide(reports, bootstraps({ confirmed: THIRD, grants: [grant()] })).ruleId, 'begin-newest');
  assert.equal(decide(reports, bootstraps({ confirmed: THIRD, grants: [grant({ era: 1 })] })).ruleId, 'choice-unclear');
});

test('the first bootstrap of a new era is written down, although its number is lower', () => {
  assert.equal(decide(MEMBERS.map((name) => restored(name))).ruleId, 'confirm-bootstrap');
  assert.notEqual(decide(MEMBERS.map((name) => restored(name)), bootstraps({ confirmed: FIRST, era: 1 })).ruleId, 'confirm-bootstrap');
});

test('old data that come later are set aside, whatever their number and position', () => {
  const late = waiting(THREE, 900, { bootstrap: THIRD, ambiguous: true });
  const { ruleId, action } = decide([restored(ONE), restored(TWO), late], bootstraps({ confirmed: FIRST, era: 1 }));
  assert.deepEqual([ruleId, (action as { target: { member: string } }).target.member], ['set-data-aside', THREE]);
});

test('data of a later era than those that serve are left for a person', () => {
  const later = waiting(THREE, 7, { era: ERA, position: at(7, OTHER_UUID), ambiguous: true });
  assert.equal(decide([synced(ONE), synced(TWO), later], bootstraps()).ruleId, 'newer-data');
});
