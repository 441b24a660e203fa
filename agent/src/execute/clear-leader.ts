/**
 * Clears the lease of a primary that is proven dead. Compare-and-swap on the very object that was read last; before
 * that the proof is looked at once more. A conflict means that somebody wrote: read, prove and try again.
 */
import type { Hands, Outcome } from './executor.js';
import { failoverName, leaderName, syncName } from '../../../src/contract/names.js';
import { PATRONI_PORT, POSTGRES_PORT } from '../../../src/contract/ports.js';
import type { ClearLeader } from '../model/actions.js';
import type { LeaderFacts } from '../model/facts.js';
import { askMember } from '../model/member-report.js';
import { leaderFacts, podFacts, syncFacts } from '../model/objects.js';
import { KubeError } from '../ports/kube.js';

const ATTEMPTS = 4;
const PROBE_TIMEOUT_MS = 400;
const REPORT_TIMEOUT_MS = 1000;
/** Others are only asked whether an election should wait for them; it must not wait for the asking. */
const SHORT_PROBE_MS = 100;

/** Candidates watch Pods and the lease on two streams; they must have heard of the one before the other. */
const HEARD_MS = 40;

/** Undefined: the proof stands. */
type Objection = string | undefined;

async function objectionToDeath(hands: Hands, action: ClearLeader): Promise<Objection> {
  const [rest, sql] = await Promise.all([
    hands.network.probe(action.ip, PATRONI_PORT, PROBE_TIMEOUT_MS),
    hands.network.probe(action.ip, POSTGRES_PORT, PROBE_TIMEOUT_MS),
  ]);
  const wanted = action.proof === 'process-gone' ? ['refuses'] : ['refuses', 'silent'];
  return wanted.includes(rest) && wanted.includes(sql) ? undefined : `${action.pod} answers again (REST ${rest}, PostgreSQL ${sql})`;
}

/**
 * The standbys whose votes elect must all have let go, still, and the holder must still be silent or on its way out.
 */
async function objectionToLoss(hands: Hands, action: ClearLeader): Promise<Objection> {
  const rest = hands.network.probe(action.ip, PATRONI_PORT, SHORT_PROBE_MS);
  const sync = syncFacts(await hands.kube.get('configmaps', syncName(action.cluster)));
  if (sync.leader !== action.pod) return 'the sync key names another leader now';
  const pods = hands.pods(action.cluster).map(podFacts).filter((pod) => pod.ip !== undefined && sync.standbys.includes(pod.name));
  const asked = await Promise.all(pods.map((pod) => askMember(hands.patroni, { pod: pod.name, ip: pod.ip! }, 0, REPORT_TIMEOUT_MS)));
  const stopped = asked.filter((report) => report?.state === 'running' && report.role === 'replica' && !report.streaming).length;
  if (stopped < sync.quorum + 1) return `only ${stopped} synchronous standbys still say that their stream has stopped`;
  if (action.proof === 'streams-ended') return (await isLeaving(hands, action)) ? undefined : `${action.pod} is not on its way out`;
  return (await rest) === 'silent' ? undefined : `${action.pod} is no longer silent`;
}

async function isLeaving(hands: Hands, action: ClearLeader): Promise<boolean> {
  const pod = hands.pods(action.cluster).find((item) => item.metadata.name === action.pod);
  if (pod === undefined || pod.metadata.uid !== action.uid || pod.metadata.deletionTimestamp !== undefined) return true;
  const asked = await hands.kube.get('configmaps', failoverName(action.cluster));
  return asked.metadata.annotations?.leader === action.pod;
}

function objectionToLease(lease: LeaderFacts, action: ClearLeader): Objection {
  if (lease.pod !== action.pod) return `the lease is no longer held by ${action.pod}`;
  if (action.leaderVersion !== undefined && lease.resourceVersion !== action.leaderVersion) return 'the lease was renewed meanwhile';
  return undefined;
}

function provesByStandbys(action: ClearLeader): boolean {
  return action.proof === 'node-lost' || action.proof === 'streams-ended';
}

async function attempt(hands: Hands, action: ClearLeader): Promise<Outcome> {
  const name = leaderName(action.cluster);
  const [object, objection] = await Promise.all([
    hands.kube.get('configmaps', name),
    provesByStandbys(action) ? objectionToLoss(hands, action) : objectionToDeath(hands, action),
  ]);
  const lease = leaderFacts(object);
  const reason = objectionToLease(lease, action) ?? objection;
  if (reason) return { done: false, detail: reason };
  if (provesByStandbys(action)) {
    await forgetSilent(hands, action);
    await hands.clock.sleep(HEARD_MS);
  }
  if (action.proof === 'streams-ended') await freeElection(hands, action);
  await hands.kube.patch('configmaps', name, { metadata: { resourceVersion: lease.resourceVersion, annotations: { leader: null } } });
  return { done: true, detail: `cleared the lease of ${action.pod}` };
}

/**
 * Candidates ask every known member before they stand, and wait 2 s for each one whose node is dark. Without the
 * annotation that holds its address they do not ask it, and the time in which the old primary could come back to a
 * standby that has already given its vote is short. A member that lives writes its address again within one loop.
 */
async function forgetSilent(hands: Hands, action: ClearLeader): Promise<void> {
  const others = hands.pods(action.cluster).map(podFacts).filter((pod) => pod.name !== action.pod && pod.ip !== undefined);
  const reached = await Promise.all(others.map((pod) => hands.network.probe(pod.ip!, PATRONI_PORT, SHORT_PROBE_MS)));
  const silent = others.filter((_, index) => reached[index] === 'silent');
  await Promise.all([{ name: action.pod, uid: action.uid }, ...silent].map((pod) => forgetMember(hands, pod)));
}

async function forgetMember(hands: Hands, { name, uid }: { name: string; uid: string }): Promise<void> {
  try {
    await hands.kube.patch('pods', name, { metadata: { uid, annotations: { status: null } } });
  } catch (problem) {
    hands.log.warn('could not take the address off a silent member', { pod: name, problem: String(problem) });
  }
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
