import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { heirOf, type Estate, type Voter } from '../../src/model/heir.js';
import { report } from '../support/failover.js';

const voter = (pod: string, change: Partial<Voter> = {}): Voter => ({
  pod, node: `node-of-${pod}`, free: true, position: 100, report: report(pod, { streaming: false, timeline: 3 }), ...change,
});
const estate = (voters: readonly Voter[], change: Partial<Estate> = {}): Estate => (
  { voters, needed: 2, lostNode: undefined, asked: undefined, ...change }
);

test('the voter with the most of the log inherits, whoever was asked for', () => {
  assert.equal(heirOf(estate([voter('a'), voter('b', { position: 101 })], { asked: 'a' }))?.pod, 'b');
});

test('among equals the one that a switchover names inherits', () => {
  assert.equal(heirOf(estate([voter('a'), voter('b')], { asked: 'b' }))?.pod, 'b');
});

test('among equals a neighbour of the lost primary comes last, because its node may be on its way out too', () => {
  assert.equal(heirOf(estate([voter('a', { node: 'n1' }), voter('b', { node: 'n2' })], { lostNode: 'n1' }))?.pod, 'b');
});

test('too few voters, or one whose position is unknown: Patroni elects', () => {
  assert.equal(heirOf(estate([voter('a')])), undefined);
  assert.equal(heirOf(estate([voter('a'), voter('b', { position: undefined })])), undefined);
});

test('a voter whose Patroni does not answer as a running standby cannot promote', () => {
  for (const bad of [undefined, report('a', { state: 'starting' }), report('a', { role: 'primary' }), report('a', { timeline: undefined })]) {
    assert.equal(heirOf(estate([voter('a', { report: bad }), voter('b', { position: 99 })])), undefined);
  }
});

test('whoever missed a promotion has nothing to say, however far its own log goes', () => {
  const old = voter('a', { position: 200, report: report('a', { timeline: 2 }) });
  assert.equal(heirOf(estate([old, voter('b')])), undefined);
});

const anyVoter = (pod: string) => fc.record({
  position: fc.constantFrom(undefined, 1, 2, 3), node: fc.constantFrom('n1', 'n2', undefined), timeline: fc.constantFrom(1, 2),
  state: fc.constantFrom('running', 'starting'), role: fc.constantFrom('replica' as const, 'primary' as const),
}).map(({ position, node, ...said }) => voter(pod, { position, node, report: report(pod, said) }));

test('an heir has at least as much as every voter that was heard, and as many were heard as elect', () => {
  const estates = fc.record({
    voters: fc.tuple(anyVoter('a'), anyVoter('b'), anyVoter('c')).chain((all) => fc.subarray(all)), needed: fc.constantFrom(1, 2, 3),
    lostNode: fc.constantFrom('n1', undefined), asked: fc.constantFrom('a', 'z', undefined),
  });
  fc.assert(fc.property(estates, (given) => {
    const heir = heirOf(given);
    if (!heir) return;
    assert.ok(given.voters.length >= given.needed);
    for (const other of given.voters) assert.ok(heir.position! >= other.position!);
  }), { numRuns: 5000 });
});
