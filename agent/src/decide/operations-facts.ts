/** Groups the snapshot of planned work into facts per member, and ranks candidates. Unknown never counts as fine. */
import type { ContractMember } from '../../../src/contract/document.js';
import type { LeaderFacts, MemberReport, PodFacts, SyncFacts } from '../model/facts.js';
import type { OperationsMemory, OperationsSnapshot, StatefulSetFacts } from '../model/operations.js';

export interface MemberFacts {
  readonly name: string;
  readonly pod: string;
  readonly listed: boolean;
  readonly promotable: boolean;
  readonly object: PodFacts | undefined;
  readonly statefulSet: StatefulSetFacts | undefined;
  readonly report: MemberReport | undefined;
  readonly primary: boolean;
  /** Streams from the primary, however far behind. */
  readonly follows: boolean;
  /** With a lag within the bound. */
  readonly streaming: boolean;
  readonly lagBytes: number | undefined;
  /** `unknown` while the StatefulSet controller has not seen its latest template. */
  readonly template: 'current' | 'old' | 'unknown';
}

export interface OperationsFacts {
  readonly snapshot: OperationsSnapshot;
  readonly memory: OperationsMemory;
  readonly nowMs: number;
  readonly leader: LeaderFacts | undefined;
  readonly sync: SyncFacts | undefined;
  readonly synchronous: boolean | undefined;
  readonly paused: boolean | undefined;
  readonly members: readonly MemberFacts[];
  readonly listed: readonly MemberFacts[];
  readonly primary: MemberFacts | undefined;
  readonly lagBound: number;
}

const known = <T>(value: T | 'unknown'): T | undefined => (value === 'unknown' ? undefined : value);

function templateOf(pod: PodFacts | undefined, statefulSet: StatefulSetFacts | undefined): MemberFacts['template'] {
  if (!pod?.revision || !statefulSet?.updateRevision) return 'unknown';
  return pod.revision === statefulSet.updateRevision ? 'current' : 'old';
}

/** Of a primary, or of the leader of a cluster that follows another one. */
export function isLeading(report: MemberReport | undefined): boolean {
  return report?.role === 'primary' || report?.role === 'standby_leader';
}

function highest(...locations: ReadonlyArray<number | undefined>): number | undefined {
  const told = locations.filter((location) => location !== undefined);
  return told.length === 0 ? undefined : Math.max(...told);
}

/** The primary's report is the yardstick: standbys that received as much have no lag. */
function lagOf(report: MemberReport | undefined, primary: MemberReport | undefined): number | undefined {
  // The leader of a standby cluster writes nothing: it has what it has received or read from the archive.
  const ahead = primary?.location ?? highest(primary?.receivedLocation, primary?.replayedLocation);
  if (report?.receivedLocation === undefined || ahead === undefined) return undefined;
  return Math.max(0, ahead - report.receivedLocation);
}

interface Names {
  readonly name: string;
  readonly pod: string;
}

function memberFacts(names: Names, contract: ContractMember | undefined, snapshot: OperationsSnapshot): MemberFacts {
  const object = known(snapshot.pods)?.find((pod) => pod.name === names.pod);
  const statefulSet = known(snapshot.statefulSets)?.find((item) => item.name === names.name);
  const report = snapshot.reports.find((item) => item.pod === names.pod);
  const leader = known(snapshot.leader)?.pod;
  const primaryReport = snapshot.reports.find((item) => item.pod === leader && isLeading(item));
  const lagBytes = lagOf(report, primaryReport);
  const follows = isFollowing(report, primaryReport);
  const { maximum_lag_on_failover: mostLag } = snapshot.contract.patroni;
  return {
    ...names, object, statefulSet, report, lagBytes,
    listed: contract !== undefined,
    promotable: contract?.promotable ?? false,
    primary: leader === names.pod,
    follows,
    streaming: follows && (lagBytes ?? Infinity) <= mostLag,
    template: templateOf(object, statefulSet),
  };
}

/**
 * Streams from this primary: both name the same timeline, or the primary lists it. A standby's Patroni goes on naming
 * the old one for up to its `loop_wait` of 10 s after a promotion (`replica_cached_timeline`); all would wait for that.
 */
function isFollowing(report: MemberReport | undefined, primary: MemberReport | undefined): boolean {
  if (report?.state !== 'running' || report.role !== 'replica' || !report.streaming || !primary) return false;
  return report.timeline === primary.timeline || primary.streamsTo.includes(report.pod);
}

/** The live configuration says that the cluster follows another one. */
export function followsAnother(config: Readonly<Record<string, unknown>>): boolean {
  return typeof config.standby_cluster === 'object' && config.standby_cluster !== null;
}

function synchronousIn(config: Readonly<Record<string, unknown>> | undefined): boolean | undefined {
  if (!config) return undefined;
  // Patroni confirms nothing in a standby cluster, whatever the mode.
  return !followsAnother(config) && ['on', 'true', 'quorum', true].includes(config.synchronous_mode as string | boolean);
}

export function gatherOperations(
  snapshot: OperationsSnapshot, memory: OperationsMemory, nowMs: number,
): OperationsFacts {
  const config = known(snapshot.config);
  const { contract } = snapshot;
  const listed = contract.members.map((member) => memberFacts(member, member, snapshot));
  const extra = (known(snapshot.statefulSets) ?? [])
    .filter((statefulSet) => !contract.members.some((member) => member.name === statefulSet.name))
    .map(({ name }) => memberFacts({ name, pod: `${name}-0` }, undefined, snapshot));
  const members = [...listed, ...extra];
  return {
    snapshot, memory, nowMs, members, listed,
    leader: known(snapshot.leader),
    sync: known(snapshot.sync),
    synchronous: synchronousIn(config),
    paused: config && config.pause === true,
    primary: members.find((member) => member.primary),
    lagBound: contract.patroni.maximum_lag_on_failover,
  };
}

/** Members that are neither primary nor streaming although they ought to be, apart from those named. */
export function notWell(facts: OperationsFacts, except: readonly MemberFacts[] = []): MemberFacts[] {
  return facts.listed.filter((member) => !member.primary && !member.streaming && !except.includes(member));
}

function troubleWithin({ pod, follows, lagBytes }: MemberFacts, { state, streaming, timeline }: MemberReport): string {
  if (state !== 'running') return `${pod} is ${state}`;
  if (!streaming) return `${pod} does not stream`;
  if (!follows) return `${pod} streams on timeline ${timeline ?? 'unknown'}, not on that of the primary`;
  return `${pod} lags ${lagBytes ?? 'unknown'} bytes behind`;
}

/** What is the matter with a member, in words of its kubelet or of Patroni. */
export function troubleOf(member: MemberFacts): string {
  const { object, report } = member;
  if (!object) return `${member.pod} does not exist`;
  if (object.deleting) return `${member.pod} is being stopped`;
  if (object.container !== 'running') return `${member.pod} does not run (${object.containerReason ?? object.container})`;
  if (!report) return `${member.pod} does not answer`;
  return troubleWithin(member, report);
}

/**
 * Who should become primary: streams, may be promoted, is confirmed by the sync key in synchronous modes. Another node
 * than that of a primary that is being stopped and a current template come first, so that the new primary need not move
 * again; then the least lag; then the name, so that the answer is stable.
 */
export function pickCandidate(facts: OperationsFacts): MemberFacts | undefined {
  return isSyncWhole(facts) ? candidates(facts)[0] : undefined;
}

/** All who could take over at once, best first, also while another standby is on its way back. */
export function candidates(facts: OperationsFacts): MemberFacts[] {
  if (facts.synchronous === undefined) return [];
  const able = facts.listed.filter((member) => {
    if (member.primary || !member.promotable || !member.streaming || member.object?.deleting !== false) return false;
    return facts.synchronous === false || facts.sync?.standbys.includes(member.pod) === true;
  });
  const rank = (member: MemberFacts) => [
    isNeighbourOfLeaving(facts, member) ? 1 : 0, member.template === 'current' ? 0 : 1,
    member.report?.pendingRestart.length ? 1 : 0, member.lagBytes ?? Infinity,
  ];
  return able.sort((a, b) => compare(rank(a), rank(b)) || a.name.localeCompare(b.name));
}

/** A drain takes the Pods of a node one after the other: whoever is there too would have to hand over again. */
function isNeighbourOfLeaving({ primary }: OperationsFacts, member: MemberFacts): boolean {
  return primary?.object?.deleting === true && primary.object.node === member.object?.node;
}

/**
 * A standby that came back a moment ago streams before the sync key names it. A hand-over in that moment would leave
 * the new primary waiting for it, so the key must name as many as it will.
 */
function isSyncWhole(facts: OperationsFacts): boolean {
  if (facts.synchronous !== true) return facts.synchronous === false;
  const { synchronous_mode: mode, synchronous_node_count: count } = facts.snapshot.contract.patroni;
  const standbys = facts.listed.filter((member) => !member.primary && member.promotable).length;
  return namedStandbys(facts).length >= (mode === 'quorum' ? standbys : Math.min(count, standbys));
}

/** Those that are about to stop confirm nothing much longer. */
function namedStandbys({ sync, listed }: OperationsFacts): string[] {
  return (sync?.standbys ?? []).filter((pod) => listed.find((member) => member.pod === pod)?.object?.deleting !== true);
}

/** Standbys that Patroni is to count on and does not yet: `streams` says who could be one. */
export function uncounted(facts: OperationsFacts, streams: (member: MemberFacts) => boolean): MemberFacts[] {
  if (facts.synchronous !== true || facts.paused !== false || isSyncWhole(facts)) return [];
  return facts.listed.filter((member) => (
    !member.primary && member.promotable && member.object?.deleting === false && streams(member)
    && !facts.sync?.standbys.includes(member.pod)
  ));
}

/** Standbys that are being stopped and that Patroni still counts on: they wait for their release, up to 20 s. */
export function overcounted({ synchronous, paused, members, sync }: OperationsFacts): MemberFacts[] {
  if (synchronous !== true || paused !== false) return [];
  return members.filter(({ primary, object, pod }) => (
    !primary && object?.deleting === true && sync?.standbys.includes(pod)
  ));
}

function compare(a: number[], b: number[]): number {
  return a.map((value, index) => value - b[index]!).find((difference) => difference !== 0) ?? 0;
}
