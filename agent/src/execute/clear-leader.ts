/**
 * Takes the lease from a primary that is proven dead. Compare-and-swap on the very object that was read last; before
 * that the proof is looked at once more. A conflict means that somebody wrote: read, prove and try again.
 */
import type { Hands, Outcome } from './executor.js';
import { forgetSilent } from './forget-silent.js';
import { askedFor, chooseHeir, handLease } from './hand-lease.js';
import { releaseLease } from './release-lease.js';
import { removeStaleRole } from './remove-stale-role.js';
import { askVoters } from './voters.js';
import { failoverName, leaderName, syncName } from '../../../src/contract/names.js';
import { PATRONI_PORT, POSTGRES_PORT } from '../../../src/contract/ports.js';
import type { ClearLeader } from '../model/actions.js';
import type { LeaderFacts, MemberReport } from '../model/facts.js';
import { fenceName } from '../model/fence.js';
import { askMember } from '../model/member-report.js';
import { addressesOf, leaderFacts, podFacts, syncFacts } from '../model/objects.js';
import { KubeError } from '../ports/kube.js';

const ATTEMPTS = 4;
const REPORT_TIMEOUT_MS = 1000;
/** What is silent now was silent before, several times: an election must not wait long for the last look. */
const SHORT_PROBE_MS = 100;
/**
 * From the end of its streams to the end of the server: 64 ms in a trace on the testbed. A fence instead takes some 300
 * ms, so it is worth waiting for about half of that.
 */
const CLOSING_MS = 5;
const CLOSING_LOOKS = 25;

/** Undefined: the proof stands. */
type Objection = string | undefined;

async function objectionToDeath(hands: Hands, action: ClearLeader): Promise<Objection> {
  const [rest, sql] = await Promise.all([
    hands.network.probe(action.ip, PATRONI_PORT, SHORT_PROBE_MS),
    hands.network.probe(action.ip, POSTGRES_PORT, SHORT_PROBE_MS),
  ]);
  const wanted = action.proof === 'process-gone' ? ['refuses'] : ['refuses', 'silent'];
  return wanted.includes(rest) && wanted.includes(sql) ? undefined : `${action.pod} answers again (REST ${rest}, PostgreSQL ${sql})`;
}

function hasStopped(report: MemberReport | undefined): boolean {
  return report?.state === 'running' && report.role === 'replica' && !report.streaming;
}

function askAll(
  hands: Hands, { cluster }: ClearLeader, wanted: (pod: string) => boolean,
): Promise<Array<MemberReport | undefined>> {
  const pods = hands.pods(cluster).map(podFacts).filter((pod) => wanted(pod.name));
  return Promise.all(addressesOf(pods).map((address) => askMember(hands.patroni, address, 0, REPORT_TIMEOUT_MS)));
}

/**
 * The standbys whose votes elect must all have let go, still, and the holder must still be silent or on its way out.
 */
async function objectionToLoss(hands: Hands, action: ClearLeader): Promise<Objection> {
  const rest = hands.network.probe(action.ip, PATRONI_PORT, SHORT_PROBE_MS);
  const sync = syncFacts(await hands.kube.get('configmaps', syncName(action.cluster)));
  if (sync.leader !== action.pod) return 'the sync key names another leader now';
  const reports = await askAll(hands, action, (pod) => sync.standbys.includes(pod));
  const stopped = reports.filter(hasStopped).length;
  if (stopped < sync.quorum + 1) return `only ${stopped} synchronous standbys still say that their stream has stopped`;
  if (action.proof === 'streams-ended') return (await isLeaving(hands, action)) ? undefined : `${action.pod} is not on its way out`;
  return (await rest) === 'silent' ? undefined : `${action.pod} is no longer silent`;
}

/** Nobody may stream from it, and it may not answer: more cannot be known without synchronous standbys. */
async function objectionToGivingUp(hands: Hands, action: ClearLeader): Promise<Objection> {
  const [rest, reports] = await Promise.all([
    hands.network.probe(action.ip, PATRONI_PORT, SHORT_PROBE_MS),
    askAll(hands, action, (pod) => pod !== action.pod),
  ]);
  if (rest !== 'silent') return `${action.pod} is no longer silent`;
  if (reports.some((report) => report?.streaming)) return `a standby streams from ${action.pod}`;
  return reports.some(hasStopped) ? undefined : 'no standby answers any more';
}

async function isLeaving(hands: Hands, action: ClearLeader): Promise<boolean> {
  const pod = hands.pods(action.cluster).find((item) => item.metadata.name === action.pod);
  if (pod === undefined || pod.metadata.uid !== action.uid || pod.metadata.deletionTimestamp !== undefined) return true;
  const asked = await hands.kube.get('configmaps', failoverName(action.cluster));
  return asked.metadata.annotations?.leader === action.pod;
}

/** Only what a fence rests on: who is fenced off may live. */
async function objectionToRemoval(hands: Hands, action: ClearLeader): Promise<Objection> {
  if (hands.pods(action.cluster).some((pod) => pod.metadata.uid === action.uid)) return `the Pod ${action.pod} is there`;
  const sync = syncFacts(await hands.kube.get('configmaps', syncName(action.cluster)));
  return sync.leader === action.pod && sync.standbys.length > 0 ? undefined : 'the sync key names another leader or nobody';
}

function objectionToLease(lease: LeaderFacts, action: ClearLeader): Objection {
  if (lease.pod !== action.pod) return `the lease is no longer held by ${action.pod}`;
  if (action.leaderVersion !== undefined && lease.resourceVersion !== action.leaderVersion) return 'the lease was renewed meanwhile';
  return undefined;
}

function provesByStandbys(action: ClearLeader): boolean {
  return action.proof === 'node-lost' || action.proof === 'streams-ended' || action.proof === 'given-up';
}

/**
 * What proves the death of PostgreSQL itself needs no fence, and without synchronous standbys there is nobody to fence.
 * All else says only that nobody listens to it at present, or that it will end: a standby that has given its vote must
 * not find its way back before it knows whom to follow.
 */
function mayNeedFence({ proof }: ClearLeader): boolean {
  return proof === 'node-lost' || proof === 'pod-removed' || proof === 'streams-ended';
}

/** Its kernel lives and says that nothing listens any more; a stopping server gets there soon after its streams end. */
async function hasClosed(hands: Hands, action: ClearLeader): Promise<boolean> {
  for (let left = CLOSING_LOOKS; left > 0; left -= 1) {
    const sql = await hands.network.probe(action.ip, POSTGRES_PORT, SHORT_PROBE_MS);
    if (sql !== 'answers') return sql === 'refuses';
    await hands.clock.sleep(CLOSING_MS);
  }
  return false;
}

interface Plan {
  readonly fence: boolean;
  readonly heir?: string | undefined;
  readonly objection?: string;
}

/**
 * The server that they had is dead: whatever it acknowledged was with enough of them before. Not knowing is no reason
 * to wait, since Patroni can elect.
 */
async function heirOfDead(hands: Hands, action: ClearLeader): Promise<Plan> {
  try {
    const asking = askedFor(hands, action);
    const ballot = await askVoters(hands, action.cluster, 'dead');
    if (ballot.sync.leader !== action.pod) return { fence: false };
    return { fence: false, heir: await chooseHeir(hands, action, ballot, asking) };
  } catch (problem) {
    hands.log.warn('no heir could be chosen', { pod: action.pod, problem: String(problem) });
    return { fence: false };
  }
}

/** A fence that could not be looked at would keep everybody from the lease until its ttl ends. */
async function makePlan(hands: Hands, action: ClearLeader): Promise<Plan> {
  if (action.proof === 'given-up') return { fence: false };
  if (!mayNeedFence(action)) return heirOfDead(hands, action);
  const [{ voters, needed, problem = 'no address known' }, isClosed] = await Promise.all([
    askVoters(hands, action.cluster, 'may live'), action.proof === 'streams-ended' && hasClosed(hands, action),
  ]);
  // Asked anew: what they had before the end is not for sure all that they got.
  if (isClosed) return heirOfDead(hands, action);
  const heard = voters.length;
  if (heard >= needed) return { fence: true };
  const objection = `only ${heard} of ${needed} synchronous standbys answer by SQL, so a fence could not be checked (${problem})`;
  return { fence: true, objection };
}

function objectionToProof(hands: Hands, action: ClearLeader): Promise<Objection> {
  switch (action.proof) {
    case 'pod-removed': return objectionToRemoval(hands, action);
    case 'given-up': return objectionToGivingUp(hands, action);
    case 'node-lost':
    case 'streams-ended': return objectionToLoss(hands, action);
    default: return objectionToDeath(hands, action);
  }
}

async function attempt(hands: Hands, action: ClearLeader): Promise<Outcome> {
  const name = leaderName(action.cluster);
  const [object, objection, plan] = await Promise.all([
    hands.kube.get('configmaps', name),
    objectionToProof(hands, action),
    makePlan(hands, action),
  ]);
  const reason = objectionToLease(leaderFacts(object), action) ?? objection ?? plan.objection;
  if (reason) return { done: false, detail: reason };
  if (plan.fence) {
    const metadata = { resourceVersion: object.metadata.resourceVersion, annotations: { leader: fenceName(action) } };
    await hands.kube.patch('configmaps', name, { metadata });
    if (isDark(action)) await unlabel(hands, action);
    const { cluster, pod, uid } = action;
    return releaseLease(hands, { kind: 'ReleaseLease', cluster, pod, uid }, () => clearTheWay(hands, action));
  }
  if (plan.heir === undefined && provesByStandbys(action)) await clearTheWay(hands, action);
  const detail = await handLease(hands, action, object, plan.heir);
  if (isDark(action)) await unlabel(hands, action);
  return { done: true, detail };
}

/** Clients wait for seconds at the address of a dark node. One that resets costs them nothing. */
function isDark({ proof }: ClearLeader): boolean {
  return proof === 'node-lost' || proof === 'given-up';
}

/**
 * Before a successor has the label: else a Service leads to both for a moment. The lease is no longer its own, so
 * nothing is lost if this fails.
 */
async function unlabel(hands: Hands, { cluster, pod, uid }: ClearLeader): Promise<void> {
  await removeStaleRole(hands, { kind: 'RemoveStaleRole', cluster, pod, uid }).catch((problem: unknown) => {
    hands.log.warn('could not take the role label off', { pod, problem: String(problem) });
  });
}

/** Sees to it that the election has nothing to wait for. */
async function clearTheWay(hands: Hands, action: ClearLeader): Promise<void> {
  await forgetSilent(hands, action);
  if (action.proof === 'streams-ended') await freeElection(hands, action);
}

/**
 * With a named candidate in a switchover every other standby sleeps 2 s before it follows (Patroni's
 * `process_unhealthy_cluster`), and no commit is confirmed without it. The old primary has stopped, so the request has
 * done its work: without it all of them stand, and those who lose follow at once.
 */
async function freeElection(hands: Hands, action: ClearLeader): Promise<void> {
  const name = failoverName(action.cluster);
  const asked = await hands.kube.get('configmaps', name).catch(() => undefined);
  if (asked?.metadata.annotations?.leader !== action.pod) return;
  const annotations = { leader: null, member: null, scheduled_at: null };
  await hands.kube.patch('configmaps', name, { metadata: { resourceVersion: asked.metadata.resourceVersion, annotations } });
}

export async function clearLeader(hands: Hands, action: ClearLeader): Promise<Outcome> {
  for (let left = ATTEMPTS; ; left -= 1) {
    try {
      return await attempt(hands, action);
    } catch (problem) {
      if (!(problem instanceof KubeError && problem.conflict) || left <= 1) throw problem;
    }
  }
}
