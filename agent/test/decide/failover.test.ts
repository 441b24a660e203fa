import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailoverMemory } from '../../src/decide/failover-facts.js';
import { FAILOVER_TABLE, NO_MEMORY } from '../../src/decide/failover.js';
import type { FailoverSnapshot } from '../../src/model/facts.js';
import { KNOWN, LEADER, NAMES, STOPPED, STREAMING, lease, look, pod, reach, report, snapshot } from '../support/failover.js';

interface Example {
  readonly name: string;
  readonly rule: string;
  readonly view: FailoverSnapshot;
  readonly looks?: number;
  readonly memory?: FailoverMemory;
  readonly actions?: readonly string[];
}

const DEAD = { link: 'broken', reach: reach('refuses', 'refuses'), reports: STOPPED } as const;
const ASYNCHRONOUS = {
  dynamic: { paused: false, synchronous: false, ttlMs: 30_000 }, sync: { leader: undefined, standbys: [], quorum: 0 },
} as const;
const DARK = { link: 'broken', reach: reach('silent', 'silent') } as const;
const others = [pod(NAMES[1]), pod(NAMES[2])];

const silentSince = (sinceMs: number) => (
  { ...KNOWN, suspicion: { sinceMs, leaderVersion: '100', refused: 0, silent: 5, mute: 5, lastProbeMs: 0 } }
);

const EXAMPLES: Example[] = [
  { name: 'holds while the lease cannot be read, because unknown is not dead', rule: 'view-unknown', view: snapshot({ ...DEAD, leader: 'unknown' }), looks: 5 },
  { name: 'holds while the Pods cannot be read, because the proof needs them', rule: 'view-unknown', view: snapshot({ ...DEAD, pods: 'unknown' }), looks: 5 },
  {
    name: 'goes on with a fence that another replica may have set, because nobody leads until it is gone', rule: 'lease-fenced',
    actions: ['ReleaseLease'], view: snapshot({ leader: lease({ pod: undefined, fence: { pod: LEADER, uid: 'uid-1' } }) }),
  },
  {
    name: 'holds while Patroni is paused, because a person has taken over', rule: 'paused', looks: 5,
    view: snapshot({ ...DEAD, dynamic: { paused: true, synchronous: true, ttlMs: 30_000 } }),
  },
  {
    name: 'takes the label off a silent former primary, because clients wait there', rule: 'stale-role', actions: ['RemoveStaleRole'],
    view: snapshot({
      leader: lease({ pod: NAMES[1] }), pods: [pod(LEADER), pod(NAMES[1], { role: 'replica' }), pod(NAMES[2])],
      staleReach: [reach('silent', 'silent')], reach: reach('answers', 'answers', { pod: NAMES[1], ip: '10.0.0.2' }),
    }),
  },
  { name: 'waits while nobody holds the lease, because Patroni elects', rule: 'no-leader', view: snapshot({ leader: lease({ pod: undefined }) }) },
  {
    name: 'holds when the lease names a Pod that nobody has seen', rule: 'holder-unknown', memory: NO_MEMORY,
    view: snapshot({ leader: lease({ pod: 'orders-9-0' }), link: 'none' }),
  },
  {
    name: 'clears the lease of a deleted primary as soon as its standbys have let go', rule: 'streams-ended', actions: ['ClearLeader'],
    view: snapshot({ pods: [pod(LEADER, { deleting: true }), ...others], reach: reach('answers', 'answers'), reports: STOPPED }),
  },
  {
    name: 'clears the lease in a switchover as soon as the old primary has stopped', rule: 'streams-ended', actions: ['ClearLeader'],
    view: snapshot({ switchoverAsked: true, reach: reach('answers', 'answers'), reports: STOPPED }),
  },
  { name: 'rests while the connection to the leader stands', rule: 'leader-answers', view: snapshot() },
  { name: 'rests when the leader answers again', rule: 'leader-answers', view: snapshot({ link: 'broken', reach: reach('answers', 'refuses') }), looks: 5 },
  {
    name: 'leaves the matter to Patroni when a cleared lease keeps coming back', rule: 'quarrel', looks: 4,
    memory: { ...KNOWN, clearedAtMs: [900, 950, 990] }, view: snapshot(DEAD),
  },
  {
    name: 'lets a primary that is being stopped hand over itself', rule: 'leader-leaves', looks: 4,
    view: snapshot({ ...DARK, pods: [pod(LEADER, { deleting: true }), ...others], reports: STREAMING }),
  },
  { name: 'holds when no standby runs, because clearing would help nobody', rule: 'no-candidate', view: snapshot({ ...DEAD, reports: [] }), looks: 5 },
  {
    name: 'holds when only one of two needed voters runs', rule: 'no-candidate', looks: 5,
    view: snapshot({ ...DEAD, reports: [STOPPED[0]!, report(NAMES[2], { state: 'starting' })] }),
  },
  {
    name: 'clears the lease of a terminated container at the first look', rule: 'container-dead', actions: ['ClearLeader'],
    view: snapshot({ ...DEAD, pods: [pod(LEADER, { container: 'terminated' }), ...others] }),
  },
  {
    name: 'fences a process off whose Pod is gone, because no Service leads to it and nobody knows when it ends', rule: 'pod-removed',
    actions: ['ClearLeader'], view: snapshot({ pods: others, reports: STREAMING }),
  },
  {
    name: 'fences a silent process off whose Pod is gone', rule: 'pod-removed', actions: ['ClearLeader'],
    view: snapshot({ ...DARK, pods: others, reports: STREAMING }),
  },
  {
    name: 'holds when the Pod is gone and too few voters run, because nobody could be elected', rule: 'no-candidate', looks: 3,
    view: snapshot({ ...DARK, pods: others, reports: [STREAMING[0]!] }),
  },
  {
    name: 'clears the lease when the Pod is gone and its address is mute', rule: 'pod-gone', actions: ['ClearLeader'], looks: 3,
    view: snapshot({ ...DARK, ...ASYNCHRONOUS, pods: others, reports: STREAMING }),
  },
  {
    name: 'clears the lease when a successor of the same name has not come up', rule: 'pod-gone', actions: ['ClearLeader'], looks: 3,
    view: snapshot({ ...DARK, ...ASYNCHRONOUS, pods: [pod(LEADER, { uid: 'uid-new', ip: undefined, container: 'waiting' }), ...others], reports: STREAMING }),
  },
  { name: 'clears the lease after three refusals of both ports', rule: 'process-gone', actions: ['ClearLeader'], looks: 3, view: snapshot(DEAD) },
  {
    name: 'holds when both ports refuse and a standby streams, because that is a filter and no death', rule: 'still-streaming', looks: 5,
    view: snapshot({ ...DEAD, reports: [STOPPED[0]!, STREAMING[1]!] }),
  },
  {
    name: 'clears the lease of a lost node once the voters have lost their stream', rule: 'node-lost', actions: ['ClearLeader'], looks: 2,
    view: snapshot({ ...DARK, reports: STOPPED }),
  },
  {
    name: 'leaves a silent primary to the ttl in asynchronous mode, because it may still acknowledge', rule: 'silent-async', looks: 5,
    view: snapshot({ ...DARK, ...ASYNCHRONOUS, reports: STOPPED }),
  },
  {
    name: 'gives up a silent primary in asynchronous mode where availability is preferred', rule: 'given-up', actions: ['ClearLeader'], looks: 2,
    view: snapshot({ ...DARK, ...ASYNCHRONOUS, preferAvailability: true, reports: STOPPED }),
  },
  {
    name: 'has the standbys look in time whether the lease has run out, because their own round comes up to 10 s later',
    rule: 'lease-runs-out', actions: ['WakePatroni', 'WakePatroni'], memory: silentSince(-19_500), looks: 1,
    view: snapshot({ ...DARK, ...ASYNCHRONOUS, reports: STOPPED }),
  },
  {
    name: 'wakes nobody any more when the lease should be over long since', rule: 'silent-async', memory: silentSince(-40_000), looks: 1,
    view: snapshot({ ...DARK, ...ASYNCHRONOUS, reports: STOPPED }),
  },
  {
    name: 'leaves a silent primary alone that a standby streams from, because it lives', rule: 'silent-async', looks: 5,
    view: snapshot({ ...DARK, ...ASYNCHRONOUS, preferAvailability: true, reports: [STOPPED[0]!, STREAMING[1]!] }),
  },
  {
    name: 'holds while one voter still streams, because it could confirm a commit', rule: 'silent-streaming', looks: 5,
    view: snapshot({ ...DARK, reports: [STOPPED[0]!, STREAMING[1]!] }),
  },
  { name: 'looks twice before silence counts', rule: 'unclear', view: snapshot({ ...DARK, reports: STOPPED }) },
  {
    name: 'concludes nothing from one port that refuses and one that is silent', rule: 'unclear', looks: 5,
    view: snapshot({ link: 'broken', reach: reach('refuses', 'silent'), reports: STOPPED }),
  },
];

for (const example of EXAMPLES) {
  test(`failover ${example.name}`, () => {
    const decision = look(example.view, example.looks ?? 1, example.memory);
    assert.equal(decision.ruleId, example.rule, decision.because);
    assert.deepEqual(decision.actions.map((action) => action.kind), example.actions ?? []);
    assert.match(decision.because, /^\S.*[.]$/);
  });
}

test('every row of the failover table is hit by a named example', () => {
  const hit = new Set(EXAMPLES.map((example) => example.rule));
  assert.deepEqual(FAILOVER_TABLE.rows.map((row) => row.id).filter((id) => !hit.has(id)), []);
});

test('a renewal of the lease starts the suspicion anew, because it is a sign of life', () => {
  const before = look(snapshot({ ...DARK, reports: STREAMING }), 5);
  assert.equal(before.ruleId, 'silent-streaming');
  const after = look(snapshot({ ...DARK, leader: lease({ resourceVersion: '101' }), reports: STOPPED }), 1, before.memory);
  assert.equal(after.ruleId, 'unclear');
});

test('the version to be cleared is the one of the first doubt', () => {
  const [action] = look(snapshot({ ...DARK, reports: STOPPED }), 2).actions;
  assert.equal(action?.kind === 'ClearLeader' && action.leaderVersion, '100');
});

test('quorum 0 with two standbys needs one that let go, because a commit needs both', () => {
  const sync = { leader: LEADER, standbys: [NAMES[1], NAMES[2]], quorum: 0 };
  assert.equal(look(snapshot({ ...DARK, sync, reports: [STOPPED[0]!] }), 2).ruleId, 'node-lost');
});
