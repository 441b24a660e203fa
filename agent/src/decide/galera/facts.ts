/** Groups the snapshot of a Galera cluster into facts per member. Unknown never counts as fine, nor as dead. */
import type { ContractMember } from '../../../../src/contract/document.js';
import type { PodFacts, Reach } from '../../model/facts.js';
import type { MemberTarget } from '../../model/galera/actions.js';
import {
  isDown, isInPrimary, isStill, isSynced, type GaleraReport, type WriterRow,
} from '../../model/galera/member.js';
import type { BootstrapRecord } from '../../model/galera/record.js';
import type { GaleraMemory, GaleraReach, GaleraSnapshot, SeenMember } from '../../model/galera/snapshot.js';
import type { StatefulSetFacts } from '../../model/operations.js';

/** Why a process that the group still counts on cannot be alive. */
export type DeathProof = 'server-ended' | 'container-dead' | 'process-gone';

export interface GaleraMemberFacts {
  readonly name: string;
  readonly pod: string;
  readonly listed: boolean;
  readonly promotable: boolean;
  readonly object: PodFacts | undefined;
  readonly statefulSet: StatefulSetFacts | undefined;
  readonly report: GaleraReport | undefined;
  /** Where it can be told something; only of those that report. */
  readonly target: MemberTarget | undefined;
  /** Some of its processes may live, and yet they no longer answer: looked at again soon. */
  readonly doubtful: boolean;
  readonly refused: number;
  readonly synced: boolean;
  readonly template: 'current' | 'old' | 'unknown';
}

export interface GaleraFacts {
  readonly snapshot: GaleraSnapshot;
  readonly memory: GaleraMemory;
  readonly nowMs: number;
  /** This replica of the agent does the planned work. */
  readonly leads: boolean;
  readonly record: BootstrapRecord | undefined;
  readonly members: readonly GaleraMemberFacts[];
  readonly listed: readonly GaleraMemberFacts[];
  /** In a component that may write. */
  readonly primaries: readonly GaleraMemberFacts[];
  readonly synced: readonly GaleraMemberFacts[];
  readonly writerRow: WriterRow | undefined;
  readonly writer: GaleraMemberFacts | undefined;
}

export const known = <T>(value: T | 'unknown'): T | undefined => (value === 'unknown' ? undefined : value);

function templateOf(pod: PodFacts | undefined, set: StatefulSetFacts | undefined): GaleraMemberFacts['template'] {
  if (!pod?.revision || !set?.updateRevision) return 'unknown';
  return pod.revision === set.updateRevision ? 'current' : 'old';
}

export function isAll({ state, sql, group }: GaleraReach, wanted: Reach): boolean {
  return [state, sql, group].every((reach) => reach === wanted);
}

interface View {
  readonly snapshot: GaleraSnapshot;
  readonly memory: GaleraMemory;
}

/** Named, and not being heard: some of it may live. */
function isDoubtful(report: GaleraReport | undefined, pod: PodFacts | undefined): boolean {
  return report === undefined && pod?.ip !== undefined && pod.container === 'running';
}

function targetOf(report: GaleraReport | undefined, pod: PodFacts | undefined): MemberTarget | undefined {
  return report && pod?.ip ? { member: report.member, ip: pod.ip, bootId: report.bootId } : undefined;
}

function memberFacts(
  { name, pod }: Pick<ContractMember, 'name' | 'pod'>, contract: ContractMember | undefined, { snapshot, memory }: View,
): GaleraMemberFacts {
  const object = known(snapshot.pods)?.find((item) => item.name === pod);
  const statefulSet = known(snapshot.statefulSets)?.find((item) => item.name === name);
  const report = snapshot.reports.find((item) => item.member === name);
  const { refused = 0 } = memory.seen[name] ?? {};
  return {
    name, pod, object, statefulSet, report,
    listed: contract !== undefined,
    promotable: contract?.promotable ?? false,
    target: targetOf(report, object),
    doubtful: isDoubtful(report, object),
    refused,
    synced: report !== undefined && isSynced(report),
    template: templateOf(object, statefulSet),
  };
}

/** The row with the highest epoch: one that was told a moment ago may be older. */
function writerRowOf(primaries: readonly GaleraMemberFacts[]): WriterRow | undefined {
  const rows = primaries.flatMap(({ report }) => (report?.writer ? [report.writer] : []));
  return rows.sort((a, b) => b.epoch - a.epoch)[0];
}

export function gatherGalera(
  snapshot: GaleraSnapshot, before: GaleraMemory, nowMs: number, leads: boolean,
): GaleraFacts {
  const memory = remember(snapshot, before, nowMs);
  const view = { snapshot, memory };
  const listed = snapshot.contract.members.map((member) => memberFacts(member, member, view));
  const extra = (known(snapshot.statefulSets) ?? [])
    .filter(({ name }) => !snapshot.contract.members.some((member) => member.name === name))
    .map(({ name }) => memberFacts({ name, pod: `${name}-0` }, undefined, view));
  const members = [...listed, ...extra];
  const primaries = members.filter(({ report }) => report && isInPrimary(report));
  const writerRow = writerRowOf(primaries);
  return {
    snapshot, memory, nowMs, leads, members, listed, primaries, writerRow,
    record: known(snapshot.record),
    synced: members.filter((member) => member.synced),
    writer: members.find(({ name }) => name === writerRow?.member),
  };
}

function rememberMember(
  before: SeenMember | undefined, pod: PodFacts | undefined, reach: GaleraReach | undefined,
): SeenMember | undefined {
  if (!pod) return before;
  const same = before?.uid === pod.uid ? before : { uid: pod.uid, refused: 0, lastLookMs: -Infinity, ended: false };
  const ended = pod.container === 'unknown' ? same.ended : pod.container === 'terminated';
  if (!reach || reach.ip !== pod.ip) return { ...same, ended, refused: 0 };
  if (reach.takenAtMs <= same.lastLookMs) return { ...same, ended };
  return { ...same, ended, refused: isAll(reach, 'refuses') ? same.refused + 1 : 0, lastLookMs: reach.takenAtMs };
}

function silentProxies({ proxies }: GaleraSnapshot, before: GaleraMemory): GaleraMemory['silentProxies'] {
  const silent = proxies.filter(({ reach }) => reach === 'silent');
  return Object.fromEntries(silent.map(({ uid }) => [uid, (before.silentProxies[uid] ?? 0) + 1]));
}

function withoutPrimarySince(
  snapshot: GaleraSnapshot, before: GaleraMemory, nowMs: number,
): { withoutPrimarySinceMs?: number } {
  if (snapshot.reports.some(isInPrimary)) return {};
  return { withoutPrimarySinceMs: before.withoutPrimarySinceMs ?? nowMs };
}

function remember(snapshot: GaleraSnapshot, before: GaleraMemory, nowMs: number): GaleraMemory {
  const pods = known(snapshot.pods);
  const names = snapshot.contract.members;
  const seen = pods === undefined ? before.seen : Object.fromEntries(names.flatMap(({ name, pod }) => {
    const object = pods.find((item) => item.name === pod);
    const reach = snapshot.reach.find((item) => item.member === name);
    const now = rememberMember(before.seen[name], object, reach);
    return now ? [[name, now]] : [];
  }));
  const { withoutPrimarySinceMs: _, ...rest } = before;
  const since = withoutPrimarySince(snapshot, before, nowMs);
  return { ...rest, seen, silentProxies: silentProxies(snapshot, before), ...since };
}

/** Looks in a row that must agree; one refusal may be a full backlog. */
const REFUSALS_NEEDED = 3;

/**
 * Whether its server has ended for sure. One that runs is never dead, whatever uuid it tells: while it joins, the group
 * may know it by another one than it does itself.
 */
export function deathOf({ report, object, refused }: GaleraMemberFacts): DeathProof | undefined {
  if (report) return report.serverRuns ? undefined : 'server-ended';
  // What the watch told may be old; that nobody listens there is seen just now.
  if (object?.container === 'terminated' && refused > 0) return 'container-dead';
  return refused >= REFUSALS_NEEDED ? 'process-gone' : undefined;
}

/**
 * Nothing of it serves, for sure, and nothing of it will by itself: it says so, its container has ended, its Pod went
 * in order, or its node was declared dead. Refused connections are not enough here, and neither is a Pod that is gone.
 */
export function isGone({ memory, snapshot }: GaleraFacts, { name, report, object }: GaleraMemberFacts): boolean {
  if (report) return isDown(report);
  if (object) return object.container === 'terminated' || (object.node !== undefined && snapshot.deadNodes.includes(object.node));
  return known(snapshot.pods) !== undefined && memory.seen[name]?.ended === true;
}

export function isWaiting({ report }: GaleraMemberFacts): boolean {
  return report !== undefined && isStill(report);
}

export const names = (members: readonly GaleraMemberFacts[]): string => members.map(({ name }) => name).join(', ');

/** What is the matter with a member, in words of its kubelet or its own. */
export function galeraTrouble({ name, object, report }: GaleraMemberFacts): string {
  if (!object) return `${name} has no Pod`;
  if (object.deleting) return `${name} is being stopped`;
  if (object.container !== 'running') return `${name} does not run (${object.containerReason ?? object.container})`;
  if (!report) return `${name} does not answer`;
  return report.phase === 'synced' ? `${name} is synced and not ready` : `${name} is ${report.phase}${report.because ? ` (${report.because})` : ''}`;
}
