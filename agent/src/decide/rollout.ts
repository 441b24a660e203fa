/**
 * Rolling changes: members that the contract no longer lists go, members on an old template are replaced. Standbys
 * first, one at a time, only while all others stream; then a switchover; then the old primary.
 *
 * From: StatefulSets and their revisions, Pods, the members' own reports, lease and sync key. Invariants: never a
 * second member down by our doing; the primary is never evicted while another member can take over; a member that does
 * not come up stops everything until its template changes again. Not here: failover, parameters, growth of volumes.
 */
import { notWell, pickCandidate, troubleOf, type MemberFacts, type OperationsFacts } from './operations-facts.js';
import type { Row, RuleTable } from './rule-table.js';
import type { OperationsAction } from '../model/operations.js';

type OperationsRow = Row<OperationsFacts, OperationsAction>;

/** A change of a Pod takes seconds to show; the watches wake the loop earlier. */
const WAIT_MS = 2000;

const holding = { then: () => [], actions: [] as string[], checkAgainInMs: () => WAIT_MS };

const outdated = (f: OperationsFacts) => f.listed.filter((member) => member.template === 'old');
const isRetired = ({ listed, statefulSet }: MemberFacts) => !listed && (statefulSet?.replicas ?? 0) > 0;
const retired = (f: OperationsFacts) => f.members.filter(isRetired);

/** On an old template and not up: nobody loses anything when it is replaced, and nothing else would ever mend it. */
function stuck(f: OperationsFacts): MemberFacts | undefined {
  return outdated(f).find((member) => !member.primary && member.object?.deleting === false && isDown(member.object));
}

function isDown(pod: MemberFacts['object']): boolean {
  return pod !== undefined && !pod.ready && (pod.container !== 'running' || !pod.started);
}

function evict(f: OperationsFacts, member: MemberFacts, evenPrimary = false): OperationsAction[] {
  return [{ kind: 'EvictPod', cluster: f.snapshot.cluster, pod: member.pod, uid: member.object!.uid, evenPrimary }];
}

function handOver(f: OperationsFacts): OperationsAction[] {
  return [{ kind: 'Switchover', cluster: f.snapshot.cluster, from: f.primary!.pod, to: pickCandidate(f)!.pod }];
}

/** The one with the most lag first: it has the least to lose. */
function nextStandby(f: OperationsFacts): MemberFacts | undefined {
  return outdated(f)
    .filter((member) => !member.primary && member.object?.deleting === false)
    .sort((a, b) => (b.lagBytes ?? 0) - (a.lagBytes ?? 0) || a.name.localeCompare(b.name))[0];
}

const reasons = (members: readonly MemberFacts[]) => members.map(troubleOf).join(', ');

const rows: OperationsRow[] = [
  {
    id: 'member-stuck',
    when: 'a standby on an old template is not up',
    matches: (f) => stuck(f) !== undefined,
    then: (f) => evict(f, stuck(f)!),
    because: (f) => `${troubleOf(stuck(f)!)} on its old template; it is replaced by the new one.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['EvictPod'],
  },
  {
    id: 'retire-primary',
    when: 'the primary is no longer listed in the contract, and a candidate streams',
    matches: (f) => retired(f).some((member) => member.primary) && pickCandidate(f) !== undefined,
    then: handOver,
    because: (f) => `${f.primary!.pod} is no longer part of the cluster; ${pickCandidate(f)!.pod} takes over first.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['Switchover'],
  },
  {
    id: 'retire-waits',
    when: 'a member is no longer listed, but it is the primary or a listed one does not stream',
    matches: (f) => retired(f).length > 0 && (retired(f).every((member) => member.primary) || notWell(f).length > 0),
    because: (f) => `${retired(f).map((member) => member.name).join(', ')} is to go, but ${reasons(notWell(f)) || 'nobody can take over'}.`,
    ...holding,
  },
  {
    id: 'retire-member',
    when: 'a standby is no longer listed and all listed members are well',
    matches: (f) => retired(f).length > 0,
    then: (f) => retired(f).filter((member) => !member.primary).slice(0, 1).map((member) => ({
      kind: 'ScaleToZero', cluster: f.snapshot.cluster, statefulSet: member.name, pod: member.pod, resourceVersion: member.statefulSet!.resourceVersion,
    })),
    because: (f) => `${retired(f).find((member) => !member.primary)!.name} is no longer part of the cluster; its volume stays.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['ScaleToZero'],
  },
  {
    id: 'template-unknown',
    when: 'the StatefulSet controller has not seen a template yet, or a Pod is missing',
    matches: (f) => f.listed.some((member) => member.template === 'unknown'),
    because: (f) => `${f.listed.filter((member) => member.template === 'unknown').map((member) => member.pod).join(', ')} has no known template yet.`,
    ...holding,
  },
  {
    id: 'templates-current',
    when: 'all members run on their template',
    matches: (f) => outdated(f).length === 0,
    because: () => 'All members run on their template.',
    ...holding,
    goOn: true,
  },
  {
    id: 'rollout-waits',
    when: 'a member is on an old template and another one is not well',
    matches: (f) => notWell(f).length > 0,
    because: (f) => `The rolling change waits: ${reasons(notWell(f))}.`,
    ...holding,
  },
  {
    id: 'replace-standby',
    when: 'a standby is on an old template and all members are well',
    matches: (f) => nextStandby(f) !== undefined,
    then: (f) => evict(f, nextStandby(f)!),
    because: (f) => `${nextStandby(f)!.pod} is on an old template and all others stream.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['EvictPod'],
  },
  {
    id: 'hand-over-primary',
    when: 'only the primary is on an old template, and a candidate streams',
    matches: (f) => pickCandidate(f) !== undefined,
    then: handOver,
    because: (f) => `Only the primary ${f.primary!.pod} is on an old template; ${pickCandidate(f)!.pod} takes over.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['Switchover'],
  },
  {
    id: 'replace-single',
    when: 'the only member of the cluster is on an old template',
    matches: (f) => f.listed.length === 1 && f.primary?.object?.deleting === false,
    then: (f) => evict(f, f.primary!, true),
    because: (f) => `${f.primary!.pod} is the only member and on an old template: it is restarted.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['EvictPod'],
  },
  {
    id: 'hand-over-waits',
    when: 'anything else',
    matches: () => true,
    because: (f) => `The primary ${f.primary?.pod ?? ''} is on an old template, but no standby may take over now.`,
    ...holding,
  },
];

export const ROLLOUT_TABLE: RuleTable<OperationsFacts, OperationsAction> = {
  name: 'rollout',
  purpose: 'Which member is replaced, handed over or retired next. Runs on the replica that holds the Lease.',
  rows,
};
