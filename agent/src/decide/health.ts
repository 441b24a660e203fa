/**
 * How a cluster is, for the status, the metrics and the agent's readiness. Pure: from what the watches told.
 * Ready is not highly available: a standby counts when it streams, and in synchronous modes when the sync key names it.
 */
import { withArchive } from './archive-health.js';
import { tellStandstill } from './mend.js';
import { followsAnother } from './operations-facts.js';
import type { ContractDocument } from '../../../src/contract/document.js';
import type { Maybe, LeaderFacts, PodFacts, SyncFacts } from '../model/facts.js';
import type { OperationsMemory, OperationsSnapshot, StatefulSetFacts } from '../model/operations.js';
import type { ClusterStatus, MemberStatus, Phase } from '../model/status.js';

export type Health = Pick<ClusterStatus, 'phase' | 'highlyAvailable' | 'why' | 'primary' | 'synchronousStandbys' | 'members'>;

interface View {
  readonly contract: ContractDocument;
  readonly leader: LeaderFacts | undefined;
  readonly sync: SyncFacts | undefined;
  readonly synchronous: boolean;
  readonly members: readonly MemberStatus[];
  /** Why a member does not begin. */
  readonly waiting: string | undefined;
  /** What is known of standbys that do not get on, by Pod. */
  readonly troubles: ReadonlyMap<string, string>;
}

const known = <T>(value: Maybe<T>): T | undefined => (value === 'unknown' ? undefined : value);

function stateOf(pod: PodFacts | undefined): string {
  if (!pod) return 'missing';
  if (pod.deleting) return 'stopping';
  if (pod.container !== 'running') return pod.containerReason ?? pod.container;
  return pod.status?.state ?? 'starting';
}

function templateCurrent(pod: PodFacts | undefined, statefulSet: StatefulSetFacts | undefined): boolean | 'unknown' {
  if (!pod?.revision || !statefulSet?.updateRevision) return 'unknown';
  return pod.revision === statefulSet.updateRevision;
}

function roleOf(pod: PodFacts | undefined, leader: string | undefined): MemberStatus['role'] {
  if (!pod?.status || pod.status.state !== 'running') return 'none';
  return pod.name === leader ? 'primary' : 'standby';
}

function lagOf(standby: PodFacts | undefined, primary: PodFacts | undefined): number | undefined {
  const own = standby?.status?.location;
  const ahead = primary?.status?.location;
  return own === undefined || ahead === undefined ? undefined : Math.max(0, ahead - own);
}

function isStreaming(pod: PodFacts | undefined): boolean {
  return pod?.ready === true && pod.status?.streaming === true;
}

function memberStatus(name: string, podName: string, snapshot: OperationsSnapshot): MemberStatus {
  const podNamed = (wanted: string | undefined) => known(snapshot.pods)?.find((item) => item.name === wanted);
  const leader = known(snapshot.leader)?.pod;
  const pod = podNamed(podName);
  const role = roleOf(pod, leader);
  const isStandby = role === 'standby';
  const { timeline, pendingRestart = [] } = pod?.status ?? {};
  return {
    name, pod: podName, role,
    node: pod?.node,
    state: stateOf(pod),
    streaming: isStandby && isStreaming(pod),
    timeline,
    lagBytes: isStandby ? lagOf(pod, podNamed(leader)) : undefined,
    templateCurrent: templateCurrent(pod, known(snapshot.statefulSets)?.find((item) => item.name === name)),
    pendingRestart: pendingRestart.map((change) => change.parameter),
  };
}

/** Members that cannot begin wait for the same thing: one is enough. */
function waitingIn({ pods }: OperationsSnapshot): string | undefined {
  const pod = known(pods)?.find(({ waitingFor }) => waitingFor !== undefined);
  return pod && `${pod.name} says: ${pod.waitingFor!}`;
}

/** Undefined: highly available. */
function whatIsMissing(view: View): string | undefined {
  const primary = view.members.find((member) => member.role === 'primary');
  if (!primary) return view.leader?.pod ? `${view.leader.pod} holds the lease and does not run as a primary` : withReason('nobody holds the lease', view.waiting);
  if (view.members.length === 1) return 'the cluster has one member, so nobody can take over';
  const lost = view.members.filter((member) => member !== primary && !member.streaming);
  if (lost.length > 0) return lost.map((member) => `${member.pod} ${view.troubles.get(member.pod) ?? wordOf(member)}`).join(', ');
  if (!view.synchronous) return undefined;
  if (view.sync?.leader !== primary.pod || view.sync.standbys.length === 0) return 'the sync key names no standby yet, so Patroni could promote nobody';
  return undefined;
}

function withReason(text: string, waiting: string | undefined): string {
  return waiting === undefined ? text : `${text}; ${waiting}`;
}

function wordOf({ state }: MemberStatus): string {
  return state === 'running' ? 'does not stream' : `is ${state}`;
}

function phaseOf(view: View, missing: string | undefined): Phase {
  if (!view.leader?.pod) return view.leader ? 'NoPrimary' : 'Forming';
  if (missing === undefined || (view.members.length === 1 && view.members[0]!.role === 'primary')) return 'Healthy';
  return view.members.some((member) => member.role === 'primary') ? 'Degraded' : 'NoPrimary';
}

const ALL_STREAM = 'all members stream';

/** What is in force, or what is asked for where that cannot be read. */
function isSynchronous(
  { contract }: OperationsSnapshot, config: Readonly<Record<string, unknown>> | undefined,
): boolean {
  const { synchronous_mode: mode } = config ?? contract.patroni;
  return ['on', 'true', 'quorum', true].includes(mode as string | boolean);
}

function healthOf(view: View, whole: string): Health {
  const missing = whatIsMissing(view);
  return {
    phase: phaseOf(view, missing),
    highlyAvailable: missing === undefined,
    why: missing ?? whole,
    primary: view.leader?.pod,
    synchronousStandbys: view.sync?.standbys ?? [],
    members: view.members,
  };
}

export function judge(snapshot: OperationsSnapshot, mended: OperationsMemory['mended'] = {}): Health {
  const members = snapshot.contract.members.map((member) => memberStatus(member.name, member.pod, snapshot));
  if (snapshot.pods === 'unknown') return { phase: 'Unknown', highlyAvailable: false, why: 'the Pods cannot be read', primary: undefined, synchronousStandbys: [], members };
  const config = known(snapshot.config);
  const follows = config !== undefined && followsAnother(config);
  const view: View = {
    contract: snapshot.contract, members,
    troubles: new Map(snapshot.standstills.map((item) => [item.pod, tellStandstill(item, mended[item.pod])])),
    waiting: waitingIn(snapshot),
    leader: known(snapshot.leader),
    sync: known(snapshot.sync),
    synchronous: !follows && isSynchronous(snapshot, config),
  };
  const health = healthOf(view, follows ? `${ALL_STREAM}; the cluster follows another one and takes no writes` : ALL_STREAM);
  // A cluster that follows another one archives nothing.
  return snapshot.contract.backup && !follows ? withArchive(health, snapshot.archive) : health;
}
