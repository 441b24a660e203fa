/** Builders of failover snapshots: a healthy cluster of three, from which each example changes what it is about. */
import { FAILOVER_DEFAULTS, type FailoverMemory } from '../../src/decide/failover-facts.js';
import { decideFailover, NO_MEMORY, type FailoverDecision } from '../../src/decide/failover.js';
import type { FailoverSnapshot, LeaderFacts, MemberReport, PodFacts, Reach, ReachFacts } from '../../src/model/facts.js';

export const NAMES = ['orders-1-0', 'orders-2-0', 'orders-3-0'] as const;
export const LEADER = NAMES[0];

export function pod(name: string, change: Partial<PodFacts> = {}): PodFacts {
  const number = name.split('-')[1]!;
  return {
    name, uid: `uid-${number}`, ip: `10.0.0.${number}`, node: `n${number}`, deleting: false, ready: true, container: 'running', containerReason: undefined, started: true,
    role: name === LEADER ? 'primary' : 'replica', revision: 'r1', status: undefined, ...change,
  };
}

export function lease(change: Partial<LeaderFacts> = {}): LeaderFacts {
  return { pod: LEADER, fence: undefined, resourceVersion: '100', renewTime: 't', acquireTime: 't', addresses: {}, ...change };
}

export function report(name: string, change: Partial<MemberReport> = {}): MemberReport {
  return {
    pod: name, takenAtMs: 0, state: 'running', role: 'replica', streaming: true, timeline: 1, receivedLocation: 1000,
    replayedLocation: 1000, readsArchive: false, streamsTo: [], location: undefined, pendingRestart: [], ...change,
  };
}

export function reach(rest: Reach, sql: Reach, change: Partial<ReachFacts> = {}): ReachFacts {
  return { pod: LEADER, ip: '10.0.0.1', takenAtMs: 0, rest, sql, ...change };
}

export function snapshot(change: Partial<FailoverSnapshot> = {}): FailoverSnapshot {
  return {
    cluster: 'orders', link: 'held', switchoverAsked: false, leader: lease(),
    sync: { leader: LEADER, standbys: [NAMES[1], NAMES[2]], quorum: 1 },
    dynamic: { paused: false, synchronous: true, ttlMs: 30_000 },
    pods: NAMES.map((name) => pod(name)), promotable: NAMES, preferAvailability: false,
    reach: undefined, staleReach: [], reports: [], ...change,
  };
}

export const STREAMING = [report(NAMES[1]), report(NAMES[2])];
export const STOPPED = [report(NAMES[1], { streaming: false }), report(NAMES[2], { streaming: false })];

/** At rest the agent learns who holds the lease. */
export const KNOWN: FailoverMemory = decideFailover(snapshot({ reach: reach('answers', 'answers') }), NO_MEMORY).memory;

/** The same look several times, 100 ms apart, as the loop would take it. */
export function look(view: FailoverSnapshot, times: number, memory: FailoverMemory = KNOWN): FailoverDecision {
  let decision: FailoverDecision | undefined;
  let kept = memory;
  for (let index = 0; index < times; index += 1) {
    const at = 1000 + index * 100;
    const timed = {
      ...view,
      reach: view.reach && { ...view.reach, takenAtMs: at },
      reports: view.reports.map((item) => ({ ...item, takenAtMs: at })),
    };
    decision = decideFailover(timed, kept, FAILOVER_DEFAULTS, at);
    kept = decision.memory;
  }
  return decision!;
}
