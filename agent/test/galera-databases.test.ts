import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GaleraDatabases } from '../src/galera-databases.js';
import { parseGaleraReport } from '../src/model/galera/member.js';

const PROBLEM = { what: 'user reporting', why: 'Secret reporting does not exist; apply it, waiting.' };

function reported(declared: unknown) {
  const text = JSON.stringify({ member: 'orders-1', bootId: 'b', phase: 'synced', declared });
  return parseGaleraReport('orders-1', text, 0)!.declared;
}

function telling() {
  const [sections, told] = [[] as string[], [] as string[]];
  const databases = new GaleraDatabases({
    writer: { section: (key, text) => Promise.resolve(void sections.push(`${key} ${text}`)) },
    told: ({ ruleId, because }) => told.push(`${ruleId}: ${because}`),
  });
  return { databases, sections, told };
}

test('what the writer says of databases and users is one document for both engines', () => {
  assert.deepEqual(reported({ checkedAt: 'now', problems: [] }), { inStep: true, checkedAt: 'now', problems: [], logins: [] });
  assert.deepEqual(reported({ checkedAt: 'now', problems: [PROBLEM] }), { inStep: false, checkedAt: 'now', problems: [PROBLEM], logins: [] });
});

test('a member that says nothing, or something odd, is not known to be in step', () => {
  assert.equal(reported(null), undefined);
  assert.equal(reported({ checkedAt: 'now' }), undefined);
  assert.equal(reported({ checkedAt: 'now', problems: [{ what: 1 }] })!.inStep, false);
});

test('each problem is an Event once, and the status is written when it has changed', async () => {
  const { databases, sections, told } = telling();
  const status = reported({ checkedAt: 'now', problems: [PROBLEM] });
  await databases.tell(undefined);
  await databases.tell(status);
  await databases.tell(status);
  assert.equal(sections.length, 1);
  assert.match(sections[0]!, /^databases\.json /);
  assert.deepEqual(told, [`not-as-declared: ${PROBLEM.what}: ${PROBLEM.why}`]);
  await databases.tell(reported({ checkedAt: 'later', problems: [] }));
  assert.equal(sections.length, 2);
});

test('after another replica of the agent has written, it is written again', async () => {
  const { databases, sections } = telling();
  const status = reported({ checkedAt: 'now', problems: [] });
  await databases.tell(status);
  databases.forget();
  await databases.tell(status);
  assert.equal(sections.length, 2);
});

test('the turns of a rotation are told, but not the one that was there before anybody looked', async () => {
  const { databases, told } = telling();
  const turn = (login: string) => reported({
    checkedAt: login, problems: [],
    logins: [{ role: 'app', login, secret: 'orders-app', rotatedAt: '2026-01-01T00:00:00Z', nextRotation: null }],
  });
  assert.deepEqual(turn('app_a')!.logins[0]!.nextRotation, undefined);
  await databases.tell(turn('app_a'));
  assert.deepEqual(told, []);
  await databases.tell(turn('app_b'));
  assert.deepEqual(told, ['password-rotated: Secret orders-app now holds a new password, of the login app_b.']);
});
