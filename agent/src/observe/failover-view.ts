/**
 * Puts together what the failover table looks at. At rest from memory alone; ports and reports are asked for on
 * suspicion.
 */
import type { Store } from './store.js';
import { LABEL } from '../../../src/contract/labels.js';
import { dynamicConfigName, failoverName, leaderName, syncName } from '../../../src/contract/names.js';
import { PATRONI_PORT, POSTGRES_PORT } from '../../../src/contract/ports.js';
import type { FailoverMemory } from '../decide/failover-facts.js';
import type { FailoverSnapshot, LinkState, MemberReport, PodFacts, ReachFacts } from '../model/facts.js';
import { askMember } from '../model/member-report.js';
import { dynamicFacts, leaderFacts, podFacts, syncFacts } from '../model/objects.js';
import type { Clock } from '../ports/clock.js';
import type { Network } from '../ports/network.js';
import type { Patroni } from '../ports/patroni.js';

/** A reset takes one round trip, well below a millisecond in a cluster; what is not there by then counts as silence. */
const PROBE_TIMEOUT_MS = 400;
/**
 * A leader that goes, or was silent before, is judged by its standbys; its own silence must not make each look late.
 */
const SHORT_PROBE_TIMEOUT_MS = 80;
/** After that many silent looks of the long kind the short one will do. */
const SILENT_ENOUGH = 2;
/**
 * The question runs one query on the standby. One that is slower counts as unknown in this look, and the next one
 * comes soon.
 */
const REPORT_TIMEOUT_MS = 300;

export interface Stores {
  readonly pods: Store;
  /** Patroni's own ConfigMaps. */
  readonly dcs: Store;
}

export interface Senses {
  readonly network: Network;
  readonly patroni: Patroni;
  readonly clock: Clock;
}

export interface ClusterIdentity {
  readonly cluster: string;
  readonly promotable: readonly string[];
}

export function podsOfCluster(pods: Store, cluster: string): PodFacts[] {
  return pods.all().filter((pod) => pod.metadata.labels?.[LABEL.cluster] === cluster).map(podFacts);
}

function fromStores(stores: Stores, identity: ClusterIdentity, link: LinkState): FailoverSnapshot {
  const { cluster, promotable } = identity;
  const leader = stores.dcs.get(leaderName(cluster));
  const known = stores.dcs.current;
  const asked = stores.dcs.get(failoverName(cluster))?.metadata.annotations?.leader;
  return {
    cluster,
    link,
    switchoverAsked: known && asked !== undefined && asked === leader?.metadata.annotations?.leader,
    leader: known && leader ? leaderFacts(leader) : 'unknown',
    sync: known ? syncFacts(stores.dcs.get(syncName(cluster))) : 'unknown',
    dynamic: (known ? dynamicFacts(stores.dcs.get(dynamicConfigName(cluster))) : undefined) ?? 'unknown',
    pods: stores.pods.current ? podsOfCluster(stores.pods, cluster) : 'unknown',
    promotable,
    reach: undefined,
    staleReach: [],
    reports: [],
  };
}

interface Question {
  readonly takenAtMs: number;
  readonly timeoutMs: number;
}

async function reachOf(
  senses: Senses, pod: string, ip: string, { takenAtMs, timeoutMs }: Question,
): Promise<ReachFacts> {
  const [rest, sql] = await Promise.all([
    senses.network.probe(ip, PATRONI_PORT, timeoutMs),
    senses.network.probe(ip, POSTGRES_PORT, timeoutMs),
  ]);
  return { pod, ip, takenAtMs, rest, sql };
}

function isLeaving(snapshot: FailoverSnapshot, holder: { pod: string; ip: string } | undefined): boolean {
  if (!holder || snapshot.pods === 'unknown') return false;
  const pod = snapshot.pods.find((item) => item.name === holder.pod);
  return snapshot.switchoverAsked || pod === undefined || pod.deleting || pod.ip !== holder.ip;
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** Where the holder was last known to be; a successor under the same name answers for itself. */
function holderAddress(snapshot: FailoverSnapshot, memory: FailoverMemory): { pod: string; ip: string } | undefined {
  if (snapshot.leader === 'unknown' || snapshot.leader.pod === undefined) return undefined;
  const { pod: name } = snapshot.leader;
  if (memory.holder?.pod === name) return memory.holder;
  const pod = snapshot.pods === 'unknown' ? undefined : snapshot.pods.find((item) => item.name === name);
  return pod?.ip ? { pod: name, ip: pod.ip } : undefined;
}

/** A Pod that came after the holder, under its name, and is up: then the lease may be its own already. */
function successor(snapshot: FailoverSnapshot, holder: { pod: string; ip: string } | undefined): PodFacts | undefined {
  if (!holder || snapshot.pods === 'unknown') return undefined;
  return snapshot.pods.find((pod) => pod.name === holder.pod && pod.ip !== undefined && pod.ip !== holder.ip && pod.container === 'running');
}

function staleCandidates(snapshot: FailoverSnapshot): PodFacts[] {
  if (snapshot.pods === 'unknown' || snapshot.leader === 'unknown') return [];
  const { pod: leader } = snapshot.leader;
  return snapshot.pods.filter((pod) => pod.role === 'primary' && pod.name !== leader);
}

export function needsCloseLook(snapshot: FailoverSnapshot, memory: FailoverMemory): boolean {
  if (snapshot.link !== 'held' || memory.suspicion || snapshot.switchoverAsked) return true;
  if (snapshot.pods === 'unknown' || snapshot.leader === 'unknown') return false;
  if (staleCandidates(snapshot).length > 0) return true;
  const { pod: name } = snapshot.leader;
  const pod = snapshot.pods.find((item) => item.name === name);
  return pod === undefined || pod.deleting || pod.container === 'terminated' || isAnother(pod, memory.holder);
}

function isAnother(pod: PodFacts, holder: FailoverMemory['holder']): boolean {
  return holder?.pod === pod.name && holder.uid !== pod.uid;
}

export async function lookAt(
  stores: Stores, senses: Senses, identity: ClusterIdentity, state: { link: LinkState; memory: FailoverMemory },
): Promise<FailoverSnapshot> {
  const snapshot = fromStores(stores, identity, state.link);
  if (!needsCloseLook(snapshot, state.memory)) return snapshot;
  const takenAtMs = senses.clock.nowMs();
  const holder = holderAddress(snapshot, state.memory);
  const heir = successor(snapshot, holder);
  const brief = isLeaving(snapshot, holder) || (state.memory.suspicion?.silent ?? 0) >= SILENT_ENOUGH;
  const question = { takenAtMs, timeoutMs: brief ? SHORT_PROBE_TIMEOUT_MS : PROBE_TIMEOUT_MS };
  // While the leader itself is in doubt, nothing waits for the silence of a member that was lost before.
  const stale = state.link === 'held' && !state.memory.suspicion ? staleCandidates(snapshot) : [];
  const others = snapshot.pods === 'unknown' ? [] : snapshot.pods.filter((pod) => pod.name !== holder?.pod && pod.ip !== undefined);
  const [reach, heirReach, staleReach, reports] = await Promise.all([
    holder && reachOf(senses, holder.pod, holder.ip, question),
    heir?.ip ? reachOf(senses, heir.name, heir.ip, question) : undefined,
    Promise.all(stale.flatMap((pod) => (pod.ip ? [reachOf(senses, pod.name, pod.ip, question)] : []))),
    Promise.all(others.map((pod) => askMember(senses.patroni, { pod: pod.name, ip: pod.ip! }, takenAtMs, REPORT_TIMEOUT_MS))),
  ]);
  const answering = heirReach?.rest === 'answers' ? heirReach : reach;
  // The asking took time; what the watches told meanwhile counts.
  return { ...fromStores(stores, identity, state.link), reach: answering, staleReach, reports: reports.filter(isPresent) as MemberReport[] };
}
