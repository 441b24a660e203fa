/**
 * Groups the raw snapshot into the few facts that the failover table asks for, and keeps what must be remembered
 * between two looks: who holds the lease, and for how long it has not been heard.
 */
import type {
  FailoverSnapshot, LeaderFacts, Maybe, MemberReport, PodFacts, Reach, ReachFacts, SyncFacts,
} from '../model/facts.js';

/** The process that took the lease: a Pod of the same name with another UID is somebody else. */
export interface Holder {
  readonly pod: string;
  readonly uid: string;
  readonly ip: string;
}

export interface Suspicion {
  readonly sinceMs: number;
  /** Version of the lease when the holder was first not heard; a renewal starts the suspicion anew. */
  readonly leaderVersion: string;
  /** Looks in a row at which both ports refused, and at which neither answered anything. */
  readonly refused: number;
  readonly silent: number;
  /** Looks in a row at which neither answered, by whatever means. */
  readonly mute: number;
  readonly lastProbeMs: number;
}

export interface FailoverMemory {
  readonly holder?: Holder;
  readonly suspicion?: Suspicion;
  /** When leases were cleared lately; a bound against a quarrel with a primary that lives after all. */
  readonly clearedAtMs: readonly number[];
}

export interface FailoverConfig {
  /** Looks in a row that must agree. Three within some 50 ms: one refusal may be a full backlog. */
  readonly refusalsNeeded: number;
  readonly silencesNeeded: number;
  /** Clears per cluster within the ttl before the agent leaves the matter to Patroni. */
  readonly clearsPerTtl: number;
}

export const FAILOVER_DEFAULTS: FailoverConfig = { refusalsNeeded: 3, silencesNeeded: 2, clearsPerTtl: 3 };

export type HolderPod = 'same' | 'gone' | 'replaced' | 'unknown';

export interface FailoverFacts {
  readonly snapshot: FailoverSnapshot;
  readonly config: FailoverConfig;
  readonly leader: LeaderFacts | undefined;
  readonly sync: SyncFacts | undefined;
  readonly paused: boolean | undefined;
  readonly synchronous: boolean | undefined;
  readonly holder: Holder | undefined;
  readonly holderPod: HolderPod;
  /** The Pod object of the holder itself, not of a successor. */
  readonly pod: PodFacts | undefined;
  readonly reach: ReachFacts | undefined;
  readonly suspicion: Suspicion | undefined;
  readonly runsOut: boolean;
  /** Standbys that said just now that they run, apart from the holder. */
  readonly running: readonly MemberReport[];
  /** Synchronous standbys among them, by what they say of their stream. */
  readonly syncStopped: readonly string[];
  readonly stillStreaming: readonly string[];
  readonly candidates: number;
  readonly candidatesNeeded: number;
  readonly clearsLately: number;
  readonly stale: readonly PodFacts[];
  readonly mayBeStale: boolean;
}

function podsOf(snapshot: FailoverSnapshot): readonly PodFacts[] | undefined {
  return snapshot.pods === 'unknown' ? undefined : snapshot.pods;
}

/** Address in `http://10.0.0.1:8008/patroni`. */
function hostOf(url: string | undefined): string | undefined {
  return url?.match(/^https?:\/\/(\[[^\]]+\]|[^:/]+)/)?.[1]?.replace(/^\[|\]$/g, '');
}

/**
 * The holder changes with the lease's name. Under the same name a new Pod becomes the holder only when it answers:
 * until then the lease is still its predecessor's.
 */
function holderOf(
  snapshot: FailoverSnapshot, leader: LeaderFacts | undefined, before: Holder | undefined,
): Holder | undefined {
  if (!leader?.pod) return undefined;
  const pod = podsOf(snapshot)?.find((item) => item.name === leader.pod);
  const known = before?.pod === leader.pod ? before : undefined;
  return successorOf(snapshot, pod, known) ?? known ?? unseenHolder(snapshot, leader, leader.pod);
}

/** What the Pod says of itself: the same incarnation with its present address, or one that is the holder by now. */
function successorOf(
  snapshot: FailoverSnapshot, pod: PodFacts | undefined, known: Holder | undefined,
): Holder | undefined {
  if (pod?.ip === undefined) return undefined;
  if (pod.uid === known?.uid) return pod.deleting ? known : { ...known, ip: pod.ip };
  return !known || isAnswering(snapshot, pod) ? { pod: pod.name, uid: pod.uid, ip: pod.ip } : undefined;
}

/** An agent that has just started knows of a Pod that is gone only what the leader wrote down. */
function unseenHolder(snapshot: FailoverSnapshot, leader: LeaderFacts, pod: string): Holder | undefined {
  const ip = hostOf(leader.addresses[pod]);
  return ip && podsOf(snapshot) ? { pod, uid: 'unseen', ip } : undefined;
}

function isAnswering(snapshot: FailoverSnapshot, pod: PodFacts): boolean {
  return snapshot.reach !== undefined && snapshot.reach.ip === pod.ip && snapshot.reach.rest === 'answers';
}

function stateOfHolderPod(snapshot: FailoverSnapshot, holder: Holder | undefined): HolderPod {
  const pods = podsOf(snapshot);
  if (!pods || !holder) return 'unknown';
  const pod = pods.find((item) => item.name === holder.pod);
  if (!pod) return 'gone';
  return pod.uid === holder.uid ? 'same' : 'replaced';
}

function suspicionOf(
  snapshot: FailoverSnapshot, leader: LeaderFacts, before: Suspicion | undefined,
): Suspicion | undefined {
  const reach = snapshot.reach;
  if (!reach || reach.rest === 'unknown' || reach.sql === 'unknown') return before;
  if (reach.rest === 'answers') return undefined;
  const kept = before?.leaderVersion === leader.resourceVersion ? before : undefined;
  const start = kept ?? {
    sinceMs: reach.takenAtMs, leaderVersion: leader.resourceVersion,
    refused: 0, silent: 0, mute: 0, lastProbeMs: -Infinity,
  };
  return reach.takenAtMs <= start.lastProbeMs ? start : counted(start, reach);
}

/** One look more; each count begins anew when a look says something else. */
function counted(start: Suspicion, reach: ReachFacts): Suspicion {
  return {
    ...start,
    refused: isBoth(reach, 'refuses') ? start.refused + (reach.refusals ?? 1) : 0,
    silent: isBoth(reach, 'silent') ? start.silent + 1 : 0,
    mute: reach.sql === 'answers' ? 0 : start.mute + (reach.refusals ?? 1),
    lastProbeMs: reach.takenAtMs,
  };
}

export function isBoth(reach: ReachFacts | undefined, wanted: Reach): boolean {
  return reach?.rest === wanted && reach.sql === wanted;
}

/** A lease that changed its holder, or a holder that is another Pod now, takes no old suspicion along. */
function isSameHolder(a: Holder | undefined, b: Holder | undefined): boolean {
  return a?.pod === b?.pod && a?.uid === b?.uid;
}

function freshReports(
  snapshot: FailoverSnapshot, holder: Holder | undefined, suspicion: Suspicion | undefined,
): MemberReport[] {
  const since = suspicion?.sinceMs ?? -Infinity;
  return snapshot.reports.filter((report) => report.pod !== holder?.pod && report.takenAtMs >= since && report.state === 'running');
}

/** Pods that Services take for the primary although they do not hold the lease. */
function mislabelled(snapshot: FailoverSnapshot, leader: LeaderFacts | undefined): PodFacts[] {
  if (!leader) return [];
  return (podsOf(snapshot) ?? []).filter((pod) => pod.role === 'primary' && pod.name !== leader.pod);
}

/**
 * Those of them that are dead. A silent one makes clients wait, so its label goes at once. One that resets costs
 * clients next to nothing: its label goes when the new primary has its own, and only if the kubelet still calls it
 * Ready.
 */
function staleRoles(snapshot: FailoverSnapshot, leader: LeaderFacts | undefined): PodFacts[] {
  const successor = podsOf(snapshot)?.find((pod) => pod.name === leader?.pod);
  return mislabelled(snapshot, leader).filter((pod) => {
    const reach = snapshot.staleReach.find((item) => item.pod === pod.name && item.ip === pod.ip);
    if (isBoth(reach, 'silent')) return true;
    const dead = pod.container === 'terminated' || isBoth(reach, 'refuses');
    return dead && pod.ready && successor?.role === 'primary';
  });
}

const ifKnown = <T>(value: Maybe<T>): T | undefined => (value === 'unknown' ? undefined : value);

/** Who could be elected, by what they said just now. */
function votersOf(snapshot: FailoverSnapshot, running: readonly MemberReport[]): Pick<FailoverFacts,
  'syncStopped' | 'stillStreaming' | 'candidates' | 'candidatesNeeded'> {
  const sync = ifKnown(snapshot.sync);
  const counts = ifKnown(snapshot.dynamic)?.synchronous === true && sync?.leader !== undefined ? sync : undefined;
  const electable = counts?.standbys ?? snapshot.promotable;
  const eligible = running.filter((report) => electable.includes(report.pod));
  return {
    syncStopped: eligible.filter((report) => !report.streaming).map((report) => report.pod),
    stillStreaming: running.filter((report) => report.streaming).map((report) => report.pod),
    candidates: eligible.length,
    candidatesNeeded: counts ? counts.quorum + 1 : 1,
  };
}

function holderFacts(
  snapshot: FailoverSnapshot, leader: LeaderFacts | undefined, memory: FailoverMemory,
): Pick<FailoverFacts, 'holder' | 'holderPod' | 'pod' | 'reach' | 'suspicion'> {
  const holder = holderOf(snapshot, leader, memory.holder);
  const before = isSameHolder(holder, memory.holder) ? memory.suspicion : undefined;
  const holderPod = stateOfHolderPod(snapshot, holder);
  return {
    holder, holderPod,
    suspicion: leader && holder ? suspicionOf(snapshot, leader, before) : undefined,
    pod: holderPod === 'same' ? podsOf(snapshot)?.find((item) => item.uid === holder?.uid) : undefined,
    reach: snapshot.reach?.ip === holder?.ip ? snapshot.reach : undefined,
  };
}

/**
 * The lease was renewed for the last time before the first silence, within a third of its ttl (Patroni's own rule: a
 * `ttl` is longer than `loop_wait` and twice `retry_timeout`), so it runs out from two thirds of the ttl on.
 */
function runsOut(suspicion: Suspicion | undefined, ttlMs: number, nowMs: number): boolean {
  const silentMs = suspicion ? nowMs - suspicion.sinceMs : 0;
  return silentMs >= ttlMs * (2 / 3) && silentMs < ttlMs * (4 / 3);
}

export function gatherFacts(
  snapshot: FailoverSnapshot, memory: FailoverMemory, config: FailoverConfig, nowMs: number,
): FailoverFacts {
  const leader = ifKnown(snapshot.leader);
  const dynamic = ifKnown(snapshot.dynamic);
  const holding = holderFacts(snapshot, leader, memory);
  const running = freshReports(snapshot, holding.holder, holding.suspicion).filter((report) => report.role === 'replica');
  const ttlMs = dynamic?.ttlMs ?? 30_000;
  return {
    snapshot, config, leader, running, ...holding, ...votersOf(snapshot, running),
    sync: ifKnown(snapshot.sync),
    paused: dynamic?.paused,
    synchronous: dynamic?.synchronous,
    runsOut: runsOut(holding.suspicion, ttlMs, nowMs),
    clearsLately: memory.clearedAtMs.filter((at) => nowMs - at < ttlMs).length,
    stale: staleRoles(snapshot, leader),
    mayBeStale: mislabelled(snapshot, leader).length > 0,
  };
}

export function nextMemory(
  facts: FailoverFacts, memory: FailoverMemory, cleared: boolean, nowMs: number,
): FailoverMemory {
  // Ten minutes are longer than any ttl that makes sense, and keep the list short.
  const lately = memory.clearedAtMs.filter((at) => nowMs - at < 600_000);
  return {
    ...(facts.holder ? { holder: facts.holder } : {}),
    ...(facts.suspicion ? { suspicion: facts.suspicion } : {}),
    clearedAtMs: cleared ? [...lately, nowMs] : lately,
  };
}
