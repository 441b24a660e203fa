/**
 * Assisted failover: whether the lease of a primary may be cleared now, so that Patroni's standbys need not wait for
 * it to run out (25 s on a lost node).
 *
 * From: the lease, the sync key, the Pods, both ports of the holder, the standbys' own reports. Invariants: a lease is
 * cleared only on positive proof that its holder is dead, or that nothing it does can be acknowledged; every unknown
 * holds. Not here: planned switchovers, who becomes primary (model/heir.ts by Patroni's own rule, else its election).
 *
 * Proof of a lost node. In synchronous modes a commit needs the confirmation of standbys named in the sync key.
 * Patroni keeps every set that can confirm overlapping with every set that can elect, and `quorum + 1` of them can
 * elect. So once that many have let go of the old primary, no set that can confirm is left to it, and all that was
 * confirmed is among those who elect. That they have let go is made to last by a fence (model/fence.ts): one that has
 * voted and then stands still for a while would otherwise find the old primary again, and confirm to it.
 */
import {
  FAILOVER_DEFAULTS, gatherFacts, nextMemory, type FailoverConfig, type FailoverFacts, type FailoverMemory,
} from './failover-facts.js';
import { firstMatch, type Row, type RuleTable, type Verdict } from './rule-table.js';
import type { ClearProof, FailoverAction } from '../model/actions.js';
import type { FailoverSnapshot } from '../model/facts.js';

type FailoverRow = Row<FailoverFacts, FailoverAction>;

/** Between two looks that must agree on a refusal: long enough to be two looks, short against the 0.5 s aimed at. */
const REFUSAL_PAUSE_MS = 15;
/** While something is unclear: several looks within the time in which a standby notices a lost stream. */
const UNCLEAR_PAUSE_MS = 100;
/** A leader that is on its way out: PostgreSQL stops within some 100 ms, and each look that is late adds to the gap. */
const LEAVING_PAUSE_MS = 50;
/** A member with the wrong label either dies or mends it itself within a loop of Patroni's. */
const STALE_PAUSE_MS = 500;
/** Where only time helps: Patroni is at work, or there is nothing to be done. */
const WAIT_MS = 1000;
/** Nothing to look for: the held connection, the heartbeat and the watches tell. */
const AT_REST_MS = 0;

const nothing = (): readonly FailoverAction[] => [];
const holding = { then: nothing, actions: [] };

function clear(facts: FailoverFacts, proof: ClearProof): FailoverAction[] {
  const { pod, uid, ip } = facts.holder!;
  const seenBefore = facts.suspicion?.leaderVersion ?? facts.leader!.resourceVersion;
  const isSilence = proof === 'node-lost' || proof === 'given-up';
  const isBound = isSilence || proof === 'streams-ended' || proof === 'pod-removed';
  const leaderVersion = isBound ? seenBefore : undefined;
  const { cluster } = facts.snapshot;
  return [{ kind: 'ClearLeader', cluster, pod, uid, ip, proof, leaderVersion }];
}

/** Earlier looks count only together with this one; where it was not possible, nothing is known now. */
function hasLooked({ reach }: FailoverFacts): boolean {
  return reach !== undefined && reach.rest !== 'unknown' && reach.sql !== 'unknown';
}

function isRefused(facts: FailoverFacts): boolean {
  return hasLooked(facts) && (facts.suspicion?.refused ?? 0) >= facts.config.refusalsNeeded;
}

function isSilent(facts: FailoverFacts): boolean {
  return hasLooked(facts) && (facts.suspicion?.silent ?? 0) >= facts.config.silencesNeeded;
}

/** No sign of life lately; a Pod that is gone or dead needs no reset as well. */
function isMute(facts: FailoverFacts, looks: number): boolean {
  return hasLooked(facts) && (facts.suspicion?.mute ?? 0) >= looks;
}

function hasNoHolderPod(facts: FailoverFacts): boolean {
  return facts.holderPod === 'gone' || facts.holderPod === 'replaced';
}

/** Enough synchronous standbys run to let go of the holder and to elect another one. */
function canBeFencedOff(facts: FailoverFacts): boolean {
  const { synchronous, sync, holder, candidates, candidatesNeeded, clearsLately, config } = facts;
  if (synchronous !== true || sync?.leader !== holder?.pod || clearsLately >= config.clearsPerTtl) return false;
  return candidates >= candidatesNeeded && candidates > 0;
}

/** Those who could elect have let go of the holder, which leaves nobody who could confirm a commit of its. */
function hasLostItsStandbys(facts: FailoverFacts): boolean {
  const { synchronous, sync, holder } = facts;
  return synchronous === true && sync?.leader === holder?.pod && facts.syncStopped.length >= facts.candidatesNeeded;
}

/** No proof: the user has decided so beforehand (`preferAvailability`). */
function isGivenUp(facts: FailoverFacts): boolean {
  const { synchronous, snapshot, stillStreaming, syncStopped } = facts;
  return synchronous === false && snapshot.preferAvailability && stillStreaming.length === 0 && syncStopped.length > 0;
}

/** PostgreSQL is being stopped there, by a switchover or with its Pod; its streams end when no client is left. */
function isLeaving(facts: FailoverFacts): boolean {
  return facts.snapshot.switchoverAsked || facts.pod?.deleting === true || hasNoHolderPod(facts);
}

const who = (facts: FailoverFacts) => facts.holder?.pod ?? facts.leader?.pod ?? 'the primary';

const rows: FailoverRow[] = [
  {
    id: 'view-unknown',
    when: 'the lease, the Pods or the dynamic configuration could not be read',
    matches: (f) => !f.leader || f.snapshot.pods === 'unknown' || f.paused === undefined,
    because: () => 'The lease, the Pods or Patroni\'s configuration cannot be read, so nothing is known for sure.',
    checkAgainInMs: () => WAIT_MS,
    ...holding,
  },
  {
    id: 'lease-fenced',
    when: 'the lease of a lost primary is fenced: standbys are to let go of it before they elect',
    matches: (f) => f.leader?.fence !== undefined,
    then: (f) => [{ kind: 'ReleaseLease', cluster: f.snapshot.cluster, ...f.leader!.fence! }],
    because: (f) => `${f.leader!.fence!.pod} is fenced off; the lease is free as soon as enough voters have let go of it.`,
    checkAgainInMs: () => UNCLEAR_PAUSE_MS,
    actions: ['ReleaseLease'],
  },
  {
    id: 'paused',
    when: 'Patroni is paused',
    matches: (f) => f.paused === true,
    because: () => 'Patroni is paused: a person has taken over.',
    checkAgainInMs: () => WAIT_MS,
    ...holding,
  },
  {
    id: 'stale-role',
    when: 'a dead member still carries the label of the primary while another one holds the lease',
    matches: (f) => f.stale.length > 0,
    then: (f) => f.stale.slice(0, 1).map((pod) => ({ kind: 'RemoveStaleRole', cluster: f.snapshot.cluster, pod: pod.name, uid: pod.uid })),
    because: (f) => `${f.stale[0]!.name} is dead and still labelled primary, so Services would go on sending clients to it.`,
    checkAgainInMs: () => UNCLEAR_PAUSE_MS,
    actions: ['RemoveStaleRole'],
  },
  {
    id: 'no-leader',
    when: 'nobody holds the lease',
    matches: (f) => f.leader?.pod === undefined,
    because: () => 'Nobody holds the lease: Patroni is electing a primary.',
    checkAgainInMs: () => WAIT_MS,
    ...holding,
  },
  {
    id: 'holder-unknown',
    when: 'the lease names a member of which no address is known',
    matches: (f) => f.holder === undefined,
    because: (f) => `The lease names ${who(f)}, of which no address is known.`,
    checkAgainInMs: () => WAIT_MS,
    ...holding,
  },
  {
    id: 'streams-ended',
    when: 'synchronous mode: the holder hands over, or its Pod goes or is gone, and enough synchronous standbys have lost their stream',
    matches: (f) => isLeaving(f) && hasLostItsStandbys(f) && f.clearsLately < f.config.clearsPerTtl,
    then: (f) => clear(f, 'streams-ended'),
    because: (f) => `${who(f)} is on its way out and ${f.syncStopped.join(', ')} no longer stream from it: nothing can be acknowledged there any more.`,
    checkAgainInMs: () => UNCLEAR_PAUSE_MS,
    actions: ['ClearLeader'],
  },
  {
    id: 'pod-removed',
    when: 'synchronous mode: the holder\'s Pod is gone, though its processes may live and standbys stream; it is fenced off',
    matches: (f) => hasNoHolderPod(f) && canBeFencedOff(f),
    then: (f) => clear(f, 'pod-removed'),
    because: (f) => `The Pod ${who(f)} that took the lease is gone, and no Service leads to it any more; what is left of it is fenced off.`,
    checkAgainInMs: () => UNCLEAR_PAUSE_MS,
    actions: ['ClearLeader'],
  },
  {
    id: 'leader-answers',
    when: 'the holder\'s REST API answers, or the held connection to it stands',
    matches: (f) => (f.snapshot.link === 'held' && !f.suspicion && !hasNoHolderPod(f)) || f.reach?.rest === 'answers',
    because: (f) => `${who(f)} holds the lease and answers.`,
    checkAgainInMs: (f) => (isLeaving(f) ? LEAVING_PAUSE_MS : f.mayBeStale ? STALE_PAUSE_MS : AT_REST_MS),
    ...holding,
  },
  {
    id: 'quarrel',
    when: 'the lease was cleared several times within its ttl',
    matches: (f) => f.clearsLately >= f.config.clearsPerTtl,
    because: (f) => `The lease was cleared ${f.clearsLately} times within its ttl and came back: Patroni decides from here.`,
    checkAgainInMs: () => WAIT_MS,
    ...holding,
  },
  {
    id: 'leader-leaves',
    when: 'the holder\'s Pod is being deleted and its container still runs',
    matches: (f) => f.pod?.deleting === true && f.pod.container !== 'terminated' && !isRefused(f),
    because: (f) => `${who(f)} is being stopped: Patroni hands the lease over itself.`,
    checkAgainInMs: () => UNCLEAR_PAUSE_MS,
    ...holding,
  },
  {
    id: 'no-candidate',
    when: 'too few standbys run for Patroni to promote one',
    matches: (f) => f.candidates < f.candidatesNeeded,
    because: (f) => `${who(f)} does not answer, but only ${f.candidates} of the ${f.candidatesNeeded} standbys that Patroni needs for an election run.`,
    checkAgainInMs: (f) => (isRefused(f) ? UNCLEAR_PAUSE_MS : REFUSAL_PAUSE_MS),
    ...holding,
  },
  {
    id: 'container-dead',
    when: 'the holder\'s container is terminated and neither port answers',
    matches: (f) => f.pod?.container === 'terminated' && isMute(f, 1),
    then: (f) => clear(f, 'container-dead'),
    because: (f) => `The container of ${who(f)} has terminated.`,
    checkAgainInMs: () => UNCLEAR_PAUSE_MS,
    actions: ['ClearLeader'],
  },
  {
    id: 'pod-gone',
    when: 'no fence is possible: the holder\'s Pod is gone or another one has its name, and neither port of its address answers',
    matches: (f) => hasNoHolderPod(f) && isMute(f, f.config.refusalsNeeded),
    then: (f) => clear(f, 'pod-gone'),
    because: (f) => `The Pod ${who(f)} that took the lease is gone and its address is mute.`,
    checkAgainInMs: () => UNCLEAR_PAUSE_MS,
    actions: ['ClearLeader'],
  },
  {
    id: 'process-gone',
    when: 'both ports of the holder refused several times in a row and no standby says that it streams',
    matches: (f) => isRefused(f) && f.holderPod === 'same' && f.stillStreaming.length === 0,
    then: (f) => clear(f, 'process-gone'),
    because: (f) => `Patroni and PostgreSQL of ${who(f)} both refused ${f.suspicion!.refused} times in a row: its processes are gone.`,
    checkAgainInMs: () => UNCLEAR_PAUSE_MS,
    actions: ['ClearLeader'],
  },
  {
    id: 'still-streaming',
    when: 'both ports refuse, yet a standby says that it streams',
    matches: (f) => isRefused(f),
    because: (f) => `${who(f)} refuses connections, yet ${f.stillStreaming.join(', ') || 'nobody'} streams: a filter on the way, perhaps, and no proof.`,
    checkAgainInMs: () => UNCLEAR_PAUSE_MS,
    ...holding,
  },
  {
    id: 'node-lost',
    when: 'synchronous mode: the holder is silent, enough synchronous standbys have lost their stream, the lease was not renewed meanwhile',
    matches: (f) => isSilent(f) && hasLostItsStandbys(f),
    then: (f) => clear(f, 'node-lost'),
    because: (f) => `${who(f)} is silent and ${f.syncStopped.join(', ')} no longer stream from it: nothing can be acknowledged there any more.`,
    checkAgainInMs: () => UNCLEAR_PAUSE_MS,
    actions: ['ClearLeader'],
  },
  {
    id: 'given-up',
    when: 'asynchronous mode, and the cluster prefers availability: the holder is silent, and no standby that runs streams from it',
    matches: (f) => isSilent(f) && isGivenUp(f),
    then: (f) => clear(f, 'given-up'),
    because: (f) => `${who(f)} is silent and ${f.syncStopped.join(', ')} no longer stream from it. Availability is preferred, so what only it has is given up.`,
    checkAgainInMs: () => UNCLEAR_PAUSE_MS,
    actions: ['ClearLeader'],
  },
  {
    id: 'lease-runs-out',
    when: 'asynchronous mode: the holder is silent, and its lease runs out about now',
    matches: (f) => isSilent(f) && f.synchronous === false && f.runsOut,
    then: (f) => f.running.map(({ pod }) => ({ kind: 'WakePatroni', cluster: f.snapshot.cluster, pod })),
    because: (f) => `${who(f)} is silent and its lease runs out; the standbys look each second, not each round, whether it has.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['WakePatroni'],
  },
  {
    id: 'silent-async',
    when: 'asynchronous mode: the holder is silent',
    matches: (f) => isSilent(f) && f.synchronous === false,
    because: (f) => `${who(f)} is silent. Without synchronous replication nobody can know whether it still acknowledges, so Patroni's ttl decides.`,
    checkAgainInMs: () => WAIT_MS,
    ...holding,
  },
  {
    id: 'silent-streaming',
    when: 'synchronous mode: the holder is silent for the agent, but standbys stream or do not tell',
    matches: (f) => isSilent(f),
    because: (f) => `${who(f)} is silent, but only ${f.syncStopped.length} of ${f.candidatesNeeded} synchronous standbys say that their stream has stopped.`,
    checkAgainInMs: (f) => (isLeaving(f) ? LEAVING_PAUSE_MS : UNCLEAR_PAUSE_MS),
    ...holding,
  },
  {
    id: 'unclear',
    when: 'anything else',
    matches: () => true,
    because: (f) => `${who(f)} does not answer; looking again before anything is concluded.`,
    checkAgainInMs: (f) => ((f.suspicion?.refused ?? 0) > 0 || hasNoHolderPod(f) ? REFUSAL_PAUSE_MS : UNCLEAR_PAUSE_MS),
    ...holding,
  },
];

export const FAILOVER_TABLE: RuleTable<FailoverFacts, FailoverAction> = {
  name: 'failover',
  purpose: 'Whether the lease of a primary may be cleared at once. Runs on every replica of the agent.',
  rows,
};

export interface FailoverDecision extends Verdict<FailoverAction> {
  readonly memory: FailoverMemory;
}

export const NO_MEMORY: FailoverMemory = { clearedAtMs: [] };

export function decideFailover(
  snapshot: FailoverSnapshot,
  memory: FailoverMemory,
  config: FailoverConfig = FAILOVER_DEFAULTS,
  nowMs = 0,
): FailoverDecision {
  const facts = gatherFacts(snapshot, memory, config, nowMs);
  const verdict = firstMatch(FAILOVER_TABLE, facts);
  const cleared = verdict.actions.some((action) => action.kind === 'ClearLeader');
  return { ...verdict, memory: nextMemory(facts, memory, cleared, nowMs) };
}
