/**
 * Puts together what the failover table looks at. At rest from memory alone; ports and reports are asked for on
 * suspicion.
 */
import type { Store } from './store.js';
import { dynamicConfigName, failoverName, leaderName, syncName } from '../../../src/contract/names.js';
import { PATRONI_PORT, POSTGRES_PORT } from '../../../src/contract/ports.js';
import { FAILOVER_DEFAULTS, isBoth, type FailoverMemory } from '../decide/failover-facts.js';
import type {
  FailoverSnapshot, LeaderFacts, LinkState, Maybe, MemberReport, PodFacts, ReachFacts,
} from '../model/facts.js';
import { askMember } from '../model/member-report.js';
import { addressesOf, dynamicFacts, leaderFacts, podFacts, syncFacts, type Address } from '../model/objects.js';
import type { Clock } from '../ports/clock.js';
import type { Network } from '../ports/network.js';
import type { Patroni } from '../ports/patroni.js';

/** A reset takes one round trip, well below a millisecond in a cluster; what is not there by then counts as silence. */
const PROBE_TIMEOUT_MS = 400;
/**
 * A leader that goes, or was silent before, is judged by its standbys; its own silence must not make each look late.
 */
const SHORT_PROBE_TIMEOUT_MS = 80;
/**
 * One refusal may be a full backlog, so it is looked again before the standbys are asked: each question to them is a
 * query and a thread of Patroni, just when one of them is to be promoted.
 */
const REFUSALS = FAILOVER_DEFAULTS.refusalsNeeded;
const REFUSAL_PAUSE_MS = 10;
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
  readonly preferAvailability: boolean;
}

export function podsOfCluster(pods: Store, cluster: string): PodFacts[] {
  return pods.of(cluster).map(podFacts);
}

export function readLeader(dcs: Store, cluster: string): Maybe<LeaderFacts> {
  const leader = dcs.get(leaderName(cluster));
  return dcs.read(() => leader && leaderFacts(leader));
}

function isSwitchoverAsked(dcs: Store, cluster: string): boolean {
  const holderIn = (name: string) => dcs.get(name)?.metadata.annotations?.leader;
  const asked = holderIn(failoverName(cluster));
  return dcs.current && asked !== undefined && asked === holderIn(leaderName(cluster));
}

function fromStores(stores: Stores, identity: ClusterIdentity, link: LinkState): FailoverSnapshot {
  const { cluster, promotable, preferAvailability } = identity;
  return {
    cluster,
    link,
    switchoverAsked: isSwitchoverAsked(stores.dcs, cluster),
    leader: readLeader(stores.dcs, cluster),
    sync: stores.dcs.read((dcs) => syncFacts(dcs.get(syncName(cluster)))),
    dynamic: stores.dcs.read((dcs) => dynamicFacts(dcs.get(dynamicConfigName(cluster)))),
    pods: stores.pods.read((pods) => podsOfCluster(pods, cluster)),
    promotable,
    preferAvailability,
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
  senses: Senses, { pod, ip }: Address, { takenAtMs, timeoutMs }: Question,
): Promise<ReachFacts> {
  const [rest, sql] = await Promise.all([
    senses.network.probe(ip, PATRONI_PORT, timeoutMs),
    senses.network.probe(ip, POSTGRES_PORT, timeoutMs),
  ]);
  return { pod, ip, takenAtMs, rest, sql };
}

function isLeaving(snapshot: FailoverSnapshot, holder: Address | undefined): boolean {
  if (!holder || snapshot.pods === 'unknown') return false;
  const pod = snapshot.pods.find((item) => item.name === holder.pod);
  return snapshot.switchoverAsked || pod === undefined || pod.deleting || pod.ip !== holder.ip;
}

export function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** Where the holder was last known to be; a successor under the same name answers for itself. */
function holderAddress(snapshot: FailoverSnapshot, memory: FailoverMemory): Address | undefined {
  if (snapshot.leader === 'unknown' || snapshot.leader.pod === undefined) return undefined;
  const { pod: name } = snapshot.leader;
  if (memory.holder?.pod === name) return memory.holder;
  return snapshot.pods === 'unknown' ? undefined : addressesOf(snapshot.pods).find((address) => address.pod === name);
}

/** A Pod that came after the holder, under its name, and is up: then the lease may be its own already. */
function successor(snapshot: FailoverSnapshot, holder: Address | undefined): Address | undefined {
  if (!holder || snapshot.pods === 'unknown') return undefined;
  const running = snapshot.pods.filter((pod) => pod.name === holder.pod && pod.container === 'running');
  return addressesOf(running).find(({ ip }) => ip !== holder.ip);
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

interface Close {
  readonly snapshot: FailoverSnapshot;
  readonly memory: FailoverMemory;
  readonly holder: Address | undefined;
}

/** While the leader itself is in doubt, nothing waits for the silence of a member that was lost before. */
function lookAtStale(senses: Senses, { snapshot, memory }: Close, question: Question): Promise<ReachFacts[]> {
  const stale = snapshot.link === 'held' && !memory.suspicion ? staleCandidates(snapshot) : [];
  return Promise.all(addressesOf(stale).map((address) => reachOf(senses, address, question)));
}

/** Several times while both ports refuse, for that takes a millisecond each; a silent one takes the whole time-out. */
async function reachOfHolder(senses: Senses, holder: Address, question: Question): Promise<ReachFacts> {
  for (let refusals = 0; ;) {
    const reach = await reachOf(senses, holder, question);
    if (!isBoth(reach, 'refuses')) return reach;
    refusals += 1;
    if (refusals >= REFUSALS) return { ...reach, refusals };
    await senses.clock.sleep(REFUSAL_PAUSE_MS);
  }
}

async function lookAtHolder(
  senses: Senses, { snapshot, holder }: Close, question: Question,
): Promise<ReachFacts | undefined> {
  const heir = successor(snapshot, holder);
  const [reach, heirReach] = await Promise.all([
    holder && reachOfHolder(senses, holder, question),
    heir && reachOf(senses, heir, question),
  ]);
  return heirReach?.rest === 'answers' ? heirReach : reach;
}

async function askOthers(senses: Senses, { snapshot, holder }: Close, takenAtMs: number): Promise<MemberReport[]> {
  const pods = snapshot.pods === 'unknown' ? [] : snapshot.pods.filter((pod) => pod.name !== holder?.pod);
  const asking = addressesOf(pods).map((address) => askMember(senses.patroni, address, takenAtMs, REPORT_TIMEOUT_MS));
  return (await Promise.all(asking)).filter(isPresent);
}

function patienceWith({ snapshot, memory, holder }: Close): number {
  const isBrief = isLeaving(snapshot, holder) || (memory.suspicion?.silent ?? 0) >= SILENT_ENOUGH;
  return isBrief ? SHORT_PROBE_TIMEOUT_MS : PROBE_TIMEOUT_MS;
}

export interface Watching {
  readonly link: LinkState;
  readonly memory: FailoverMemory;
}

export function isCalm(stores: Stores, identity: ClusterIdentity, { link, memory }: Watching): boolean {
  return !needsCloseLook(fromStores(stores, identity, link), memory);
}

export async function lookAt(
  stores: Stores, senses: Senses, identity: ClusterIdentity, state: Watching,
): Promise<FailoverSnapshot> {
  const snapshot = fromStores(stores, identity, state.link);
  if (!needsCloseLook(snapshot, state.memory)) return snapshot;
  const close: Close = { snapshot, memory: state.memory, holder: holderAddress(snapshot, state.memory) };
  const question = { takenAtMs: senses.clock.nowMs(), timeoutMs: patienceWith(close) };
  const reaching = lookAtHolder(senses, close, question);
  // Right after a death the ports tell within milliseconds; then a question to the standbys is the last one needed.
  if (state.link === 'broken' && !state.memory.suspicion) await reaching;
  const [reach, staleReach, reports] = await Promise.all([
    reaching,
    lookAtStale(senses, close, question),
    askOthers(senses, close, question.takenAtMs),
  ]);
  // The asking took time; what the watches told meanwhile counts.
  return { ...fromStores(stores, identity, state.link), reach, staleReach, reports };
}
