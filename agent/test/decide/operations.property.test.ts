import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decideOperations } from '../../src/decide/operations.js';
import type { OperationsSnapshot } from '../../src/model/operations.js';
import { LEADER, NAMES, pod, report } from '../support/failover.js';
import { MEMORY, PATRONI, PRIMARY_REPORT, contract, operations, statefulSet } from '../support/operations.js';

const maybe = <T>(value: fc.Arbitrary<T>) => fc.oneof({ weight: 6, arbitrary: value }, { weight: 1, arbitrary: fc.constant('unknown' as const) });
const change = fc.constantFrom([], [{ parameter: 'max_connections', from: '100', to: '200' }], [{ parameter: 'max_connections', from: '100', to: '50' }]);

const pods = fc.tuple(...NAMES.map((name) => fc.record({
  revision: fc.constantFrom('r1', 'r2', undefined), deleting: fc.boolean(), ready: fc.boolean(), started: fc.boolean(),
  container: fc.constantFrom('running', 'waiting', 'terminated'),
}).map((facts) => pod(name, facts as never)))).chain((all) => fc.subarray(all));

const reports = fc.tuple(
  fc.record({ pendingRestart: change, streamsTo: fc.subarray(NAMES.slice(1)), role: fc.constantFrom('primary', 'replica') }).map((facts) => ({ ...PRIMARY_REPORT, ...facts }) as never),
  ...NAMES.slice(1).map((name) => fc.record({
    streaming: fc.boolean(), receivedLocation: fc.constantFrom(0, 900, 1000),
    pendingRestart: change, timeline: fc.constantFrom(1, 2),
  }).map((facts) => report(name, facts))),
).chain((all) => fc.subarray(all));

const view: fc.Arbitrary<OperationsSnapshot> = fc.record({
  contract: fc.subarray([...NAMES], { minLength: 1 }).map((names) => contract(names)),
  config: maybe(fc.constantFrom({ ...PATRONI }, { ...PATRONI, pause: true }, { ...PATRONI, ttl: 20 })),
  failoverAsked: maybe(fc.boolean()),
  switchoverRequest: fc.constantFrom(undefined, undefined, 'any', NAMES[1], 'nobody'),
  pods: maybe(pods),
  statefulSets: maybe(fc.tuple(...NAMES.map((name) => fc.constantFrom('r1', 'r2', undefined).map((updateRevision) => statefulSet(name, { updateRevision }))))),
  sync: maybe(fc.subarray(NAMES.slice(1)).map((standbys) => ({ leader: LEADER, standbys, quorum: 0 }))),
  reports,
  standstills: fc.subarray(NAMES.map((name) => name)).chain((names) => fc.tuple(...names.map((name) => fc.record({
    cause: fc.constantFrom('diverged', 'wal-gone', 'not-started', 'unclear'), forMs: fc.constantFrom(0, 10_000, 1e6),
  }).map((facts) => ({ pod: name, uid: pod(name).uid, ...facts }))))),
}).map((facts) => operations(facts as Partial<OperationsSnapshot>));

const RUNS = Number(process.env.AGENT_PROPERTY_RUNS ?? 2000);
const always = (check: (seen: OperationsSnapshot, decision: ReturnType<typeof decideOperations>) => void) =>
  fc.assert(fc.property(view, (seen) => check(seen, decideOperations(seen, MEMORY, 1e6))), { numRuns: RUNS });

/** Neither changes a database: they answer a person, and let clients go on. */
const HARMLESS = ['ResumePoolers', 'RefuseRequest'];

test('at most one action per decision', () => always((_, decision) => assert.ok(decision.actions.length <= 1)));

test('nothing is done while anything is unknown', () => always((seen, decision) => {
  if (decision.actions.length === 0 || HARMLESS.includes(decision.actions[0]!.kind)) return;
  for (const value of [seen.pods, seen.statefulSets, seen.config, seen.leader, seen.failoverAsked]) assert.notEqual(value, 'unknown');
}));

test('the primary is never evicted while the cluster has another member', () => always((seen, decision) => {
  const [action] = decision.actions;
  if (action?.kind === 'EvictPod' && action.pod === LEADER) assert.deepEqual(seen.contract.members.map((member) => member.pod), [LEADER]);
}));

function takenStandby(seen: OperationsSnapshot, { actions: [action] }: ReturnType<typeof decideOperations>) {
  if (action?.kind !== 'EvictPod' && action?.kind !== 'RestartMember') return undefined;
  if (action.pod === LEADER || seen.pods === 'unknown') return undefined;
  return seen.pods.find((item) => item.name === action.pod);
}

test('a standby that is up is taken away only while all the others that the contract lists stream', () => always((seen, decision) => {
  const taken = takenStandby(seen, decision);
  if (!taken?.ready || decision.ruleId === 'restart-standstill') return;
  const others = seen.contract.members.filter((member) => member.pod !== LEADER && member.pod !== taken.name);
  for (const other of others) assert.equal(seen.reports.find((item) => item.pod === other.pod)?.streaming, true);
}));

test('data is copied anew only where a proof is given, and never over the primary\'s', () => always((seen, decision) => {
  const [action] = decision.actions;
  if (action?.kind !== 'RebuildMember') return;
  assert.notEqual(action.pod, LEADER);
  assert.equal(seen.standstills.find((item) => item.pod === action.pod)?.cause, 'wal-gone');
}));

test('nobody takes over who does not stream or whom the sync key does not name', () => always((seen, decision) => {
  const [action] = decision.actions;
  if (action?.kind !== 'Switchover') return;
  assert.equal(seen.reports.find((item) => item.pod === action.to)?.streaming, true);
  assert.ok(seen.sync !== 'unknown' && seen.sync.standbys.includes(action.to));
}));

test('only members that the contract does not list are scaled to 0, and never the primary', () => always((seen, decision) => {
  const [action] = decision.actions;
  if (action?.kind !== 'ScaleToZero') return;
  assert.notEqual(action.pod, LEADER);
  assert.ok(!seen.contract.members.some((member) => member.name === action.statefulSet));
}));

test('a pause that was left behind is ended before anything else, whatever is known', () => {
  fc.assert(fc.property(view, (seen) => {
    const memory = { ...MEMORY, poolersPaused: true as const };
    const decision = decideOperations({ ...seen, switchoverRequest: undefined }, memory, 1e6);
    assert.deepEqual(decision.actions.map((action) => action.kind), ['ResumePoolers']);
  }), { numRuns: RUNS });
});

test('a request is carried out or refused, never both, and never left to come true later once all is known', () => always((seen, decision) => {
  const known = ![seen.pods, seen.config, seen.leader, seen.failoverAsked, seen.statefulSets].includes('unknown' as never);
  if (seen.switchoverRequest === undefined || !known || seen.failoverAsked) return;
  // For seconds at the most: the sync table has its own limit.
  if (decision.ruleId === 'sync-behind' || decision.ruleId === 'sync-comes') return;
  const [action] = decision.actions;
  assert.ok(action?.kind === 'RefuseRequest' || (action?.kind === 'Switchover' && action.request === seen.switchoverRequest), decision.ruleId);
}));
