/**
 * Takes a fence away: the lease goes to the voter with the most of the log, or Patroni elects. Any replica of the agent
 * may do it, also one that did not set the fence; where none does, the fence runs out with the lease's ttl.
 */
import type { Hands, Outcome } from './executor.js';
import { forgetSilent } from './forget-silent.js';
import { chooseHeir, handLease } from './hand-lease.js';
import { askVoters } from './voters.js';
import { leaderName } from '../../../src/contract/names.js';
import type { ReleaseLease } from '../model/actions.js';
import { askMember } from '../model/member-report.js';
import { leaderFacts, podFacts } from '../model/objects.js';
import { KubeError } from '../ports/kube.js';

/** Patroni's standbys wake by their watch and let go within some 20 ms; a slow one may need a few looks more. */
const LOOKS = 20;
const LOOK_AGAIN_MS = 10;
const REPORT_TIMEOUT_MS = 100;

/** A primary that has stepped down can acknowledge nothing, whoever streams from it. */
async function hasSteppedDown(hands: Hands, action: ReleaseLease): Promise<boolean> {
  const pods = hands.pods(action.cluster).map(podFacts);
  const ip = pods.find((pod) => pod.name === action.pod && pod.uid === action.uid)?.ip;
  const report = ip && await askMember(hands.patroni, { pod: action.pod, ip }, 0, REPORT_TIMEOUT_MS);
  return report ? report.state === 'running' && report.role === 'replica' : false;
}

/** Undefined: somebody wrote meanwhile, another replica of the agent, or a member that found the ttl at its end. */
async function unlessTaken(writing: Promise<string>): Promise<string | undefined> {
  try {
    return await writing;
  } catch (problem) {
    if (problem instanceof KubeError && problem.conflict) return undefined;
    throw problem;
  }
}

interface Freedom {
  readonly why: string;
  readonly heir: string | undefined;
}

/** Undefined: not yet. */
async function whyFree(hands: Hands, action: ReleaseLease): Promise<Freedom | undefined> {
  const ballot = await askVoters(hands, action.cluster, 'may live');
  const voters = ballot.voters.filter(({ free }) => free);
  if (ballot.sync.leader === action.pod && voters.length >= ballot.needed) {
    const heir = await chooseHeir(hands, action, { ...ballot, voters });
    return { why: `${voters.length} voters have let go of it`, heir };
  }
  return await hasSteppedDown(hands, action) ? { why: 'it has stepped down', heir: undefined } : undefined;
}

async function attempt(hands: Hands, action: ReleaseLease, ready: Ready): Promise<Outcome | undefined> {
  const lease = await hands.kube.get('configmaps', leaderName(action.cluster));
  const { fence } = leaderFacts(lease);
  if (fence?.pod !== action.pod || fence.uid !== action.uid) return { done: false, detail: `${action.pod} is no longer fenced off` };
  const freedom = await whyFree(hands, action);
  if (!freedom) return undefined;
  if (freedom.heir === undefined) await ready();
  const handed = await unlessTaken(handLease(hands, action, lease, freedom.heir));
  return handed === undefined ? undefined : { done: true, detail: `${handed}: ${freedom.why}` };
}

/** What must have come to pass before an election begins. */
type Ready = () => Promise<unknown>;

export async function releaseLease(
  hands: Hands, action: ReleaseLease, ready: Ready = () => forgetSilent(hands, action),
): Promise<Outcome> {
  for (let left = LOOKS; left > 0; left -= 1) {
    const outcome = await attempt(hands, action, ready);
    if (outcome) return outcome;
    await hands.clock.sleep(LOOK_AGAIN_MS);
  }
  return { done: false, detail: `${action.pod} is fenced off, but too few voters have let go of it so far` };
}
