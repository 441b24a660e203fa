/**
 * Takes a fence away, so that Patroni elects. Any replica of the agent may do it, also one that did not set the fence;
 * where none does, the fence runs out with the lease's ttl.
 */
import type { Hands, Outcome } from './executor.js';
import { forgetSilent } from './forget-silent.js';
import { askVoters, type Ballot } from './voters.js';
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

function isEnough({ sync, free, needed }: Ballot, action: ReleaseLease): boolean {
  return sync.leader === action.pod && free >= needed;
}

async function taken(patch: Promise<unknown>): Promise<boolean> {
  try {
    await patch;
    return true;
  } catch (problem) {
    if (problem instanceof KubeError && problem.conflict) return false;
    throw problem;
  }
}

/** Undefined: not yet. */
async function whyFree(hands: Hands, action: ReleaseLease): Promise<string | undefined> {
  const ballot = await askVoters(hands, action.cluster);
  if (isEnough(ballot, action)) return `${ballot.free} voters have let go of it`;
  return await hasSteppedDown(hands, action) ? 'it has stepped down' : undefined;
}

async function attempt(hands: Hands, action: ReleaseLease, ready: Promise<unknown>): Promise<Outcome | undefined> {
  const name = leaderName(action.cluster);
  const { fence, resourceVersion } = leaderFacts(await hands.kube.get('configmaps', name));
  if (fence?.pod !== action.pod || fence.uid !== action.uid) return { done: false, detail: `${action.pod} is no longer fenced off` };
  const why = await whyFree(hands, action);
  if (!why) return undefined;
  await ready;
  const patch = { metadata: { resourceVersion, annotations: { leader: null } } };
  // Somebody wrote meanwhile: another replica of the agent, or a member that found the ttl at its end.
  if (!await taken(hands.kube.patch('configmaps', name, patch))) return undefined;
  return { done: true, detail: `cleared the lease of ${action.pod}: ${why}` };
}

/** `ready`: what must have come to pass before the election begins. */
export async function releaseLease(
  hands: Hands, action: ReleaseLease, ready: Promise<unknown> = forgetSilent(hands, action),
): Promise<Outcome> {
  for (let left = LOOKS; left > 0; left -= 1) {
    const outcome = await attempt(hands, action, ready);
    if (outcome) return outcome;
    await hands.clock.sleep(LOOK_AGAIN_MS);
  }
  return { done: false, detail: `${action.pod} is fenced off, but too few voters have let go of it so far` };
}
