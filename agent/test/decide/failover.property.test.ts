import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FAILOVER_DEFAULTS, type FailoverMemory } from '../../src/decide/failover-facts.js';
import { decideFailover } from '../../src/decide/failover.js';
import type { FailoverSnapshot, PodFacts, Reach } from '../../src/model/facts.js';
import { NAMES, lease, pod, report, snapshot } from '../support/failover.js';

const reachValue = fc.constantFrom<Reach>('answers', 'refuses', 'silent', 'unknown');
const name = fc.constantFrom(...NAMES);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.oneof({ weight: 6, arbitrary: value }, { weight: 1, arbitrary: fc.constant('unknown' as const) });

const podFacts = (which: string): fc.Arbitrary<PodFacts> => fc.record({
  uid: fc.constantFrom(`uid-${which.split('-')[1]}`, 'uid-new'),
  deleting: fc.boolean(),
  ready: fc.boolean(),
  container: fc.constantFrom('running', 'terminated', 'waiting', 'unknown'),
  role: fc.constantFrom('primary', 'replica', undefined),
}).map((change) => pod(which, change as Partial<PodFacts>));

const view: fc.Arbitrary<FailoverSnapshot> = fc.record({
  link: fc.constantFrom('held', 'broken', 'none'),
  leader: maybe(fc.record({ pod: fc.option(name, { nil: undefined }), resourceVersion: fc.constantFrom('100', '101') }).map((change) => lease(change))),
  sync: maybe(fc.record({
    leader: fc.option(name, { nil: undefined }), standbys: fc.subarray([...NAMES]), quorum: fc.nat(2),
  })),
  dynamic: maybe(fc.record({ paused: fc.boolean(), synchronous: fc.boolean(), ttlMs: fc.constant(30_000) })),
  switchoverAsked: fc.boolean(),
  pods: maybe(fc.tuple(...NAMES.map(podFacts)).chain((pods) => fc.subarray(pods))),
  reach: fc.option(fc.record({ rest: reachValue, sql: reachValue }).map((ports) => ({ pod: NAMES[0], ip: '10.0.0.1', takenAtMs: 0, ...ports })), { nil: undefined }),
  reports: fc.subarray([NAMES[1], NAMES[2]]).chain((pods) => fc.tuple(...pods.map((one) => fc.record({
    state: fc.constantFrom('running', 'starting'), role: fc.constantFrom('replica', 'primary'), streaming: fc.boolean(),
  }).map((change) => report(one, change as never))))),
}).map((change) => snapshot(change as Partial<FailoverSnapshot>));

/** One look after the other, as the loop would take them, with what each of them concluded. */
function walk(views: FailoverSnapshot[]) {
  let memory: FailoverMemory = { clearedAtMs: [] };
  return views.map((one, index) => {
    const at = 1000 + index * 50;
    const reports = one.reports.map((item) => ({ ...item, takenAtMs: at }));
    const timed = { ...one, reach: one.reach && { ...one.reach, takenAtMs: at }, reports };
    const decision = decideFailover(timed, memory, FAILOVER_DEFAULTS, at);
    memory = decision.memory;
    return { view: timed, decision };
  });
}

/** What these conclude holds for a process that lives too: nobody confirms its commits, now or behind the fence. */
const FENCED_WITHOUT_A_LOOK: readonly string[] = ['streams-ended', 'pod-removed'];

const RUNS = Number(process.env.AGENT_PROPERTY_RUNS ?? 2000);
const walks = fc.array(view, { minLength: 1, maxLength: 6 });
const always = (check: (steps: ReturnType<typeof walk>) => void) =>
  fc.assert(fc.property(walks, (views) => check(walk(views))), { numRuns: RUNS });

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(freeze);
  return Object.freeze(value);
}

test('never clears a lease while anything that the proof needs is unknown', () => {
  always((steps) => steps.forEach(({ view: seen, decision }) => {
    if (!decision.actions.some((action) => action.kind === 'ClearLeader')) return;
    assert.notEqual(seen.leader, 'unknown');
    assert.notEqual(seen.pods, 'unknown');
    assert.notEqual(seen.dynamic, 'unknown');
  }));
});

test('never clears the lease of a holder that answers, unless it is on its way out and can acknowledge nothing without its standbys', () => {
  always((steps) => steps.forEach(({ view: seen, decision }) => {
    const [action] = decision.actions;
    if (action?.kind !== 'ClearLeader' || FENCED_WITHOUT_A_LOOK.includes(action.proof)) return;
    assert.ok(seen.reach, 'a proof without a look at the ports');
    assert.notEqual(seen.reach.rest, 'answers');
  }));
});

test('a removed Pod is fenced off only where enough synchronous standbys run to let go of it and to elect', () => {
  always((steps) => steps.forEach(({ view: seen, decision }) => {
    const [action] = decision.actions;
    if (action?.kind !== 'ClearLeader' || action.proof !== 'pod-removed') return;
    assert.ok(seen.pods !== 'unknown' && seen.sync !== 'unknown' && seen.dynamic !== 'unknown' && seen.dynamic.synchronous);
    assert.ok(!seen.pods.some((item) => item.name === action.pod && item.uid === action.uid), 'its Pod is still there');
    assert.equal(seen.sync.leader, action.pod);
    const { standbys, quorum } = seen.sync;
    const voters = seen.reports.filter((item) => item.state === 'running' && item.role === 'replica' && standbys.includes(item.pod));
    assert.ok(voters.length >= quorum + 1);
    assert.notEqual(action.leaderVersion, undefined);
  }));
});

test('silence alone never clears a lease: quorum + 1 synchronous standbys must have let go', () => {
  always((steps) => steps.forEach(({ view: seen, decision }) => {
    const [action] = decision.actions;
    if (action?.kind !== 'ClearLeader' || !['node-lost', 'streams-ended'].includes(action.proof)) return;
    assert.ok(seen.sync !== 'unknown' && seen.dynamic !== 'unknown' && seen.dynamic.synchronous);
    const stopped = seen.reports.filter((item) => seen.sync !== 'unknown' && seen.sync.standbys.includes(item.pod) && !item.streaming && item.state === 'running');
    assert.ok(stopped.length >= seen.sync.quorum + 1);
    assert.equal(seen.sync.leader, action.pod);
    assert.equal(action.leaderVersion !== undefined, true);
  }));
});

test('at most one lease is cleared in one decision, and only that of the member that holds it', () => {
  always((steps) => steps.forEach(({ view: seen, decision }) => {
    const clears = decision.actions.filter((action) => action.kind === 'ClearLeader');
    assert.ok(clears.length <= 1);
    for (const action of clears) assert.equal(seen.leader !== 'unknown' && seen.leader.pod, action.pod);
  }));
});

test('the label of the member that holds the lease is never taken off, but together with the lease', () => {
  always((steps) => steps.forEach(({ view: seen, decision }) => {
    for (const action of decision.actions) {
      if (action.kind !== 'RemoveStaleRole' || seen.leader === 'unknown' || seen.leader.pod !== action.pod) continue;
      assert.equal(decision.actions[0]!.kind, 'ClearLeader');
    }
  }));
});

test('decisions depend on nothing but their input and do not change it', () => {
  fc.assert(fc.property(view, (one) => {
    const memory = freeze<FailoverMemory>({ clearedAtMs: [] });
    const input = freeze(one);
    const decide = () => decideFailover(input, memory, FAILOVER_DEFAULTS, 5);
    assert.deepEqual(decide(), decide());
  }), { numRuns: 300 });
});

test('a cleared lease that keeps coming back is left to Patroni within its ttl', () => {
  always((steps) => {
    const clears = steps.filter(({ decision }) => decision.actions.some((action) => action.kind === 'ClearLeader'));
    assert.ok(clears.length <= FAILOVER_DEFAULTS.clearsPerTtl);
  });
});
