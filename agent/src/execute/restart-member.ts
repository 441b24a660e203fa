/** Restarts PostgreSQL of one member in place, through Patroni, if it still waits for it. */
import type { Hands, Outcome } from './executor.js';
import { leaderName } from '../../../src/contract/names.js';
import { leaderFacts, podFacts } from '../model/objects.js';
import type { RestartMember } from '../model/operations.js';

/** A fast shutdown with its checkpoint, then a start. */
const ANSWER_TIMEOUT_MS = 120_000;

export async function restartMember(hands: Hands, action: RestartMember): Promise<Outcome> {
  const lease = leaderFacts(await hands.kube.get('configmaps', leaderName(action.cluster)));
  if ((lease.pod === action.pod) !== (action.role === 'primary')) return { done: false, detail: `the role of ${action.pod} has changed` };
  const pod = hands.pods(action.cluster).map(podFacts).find((item) => item.uid === action.uid);
  if (!pod?.ip) return { done: false, detail: `${action.pod} is another Pod by now` };
  const body = { restart_pending: true };
  const answer = await hands.patroni.send(pod.ip, { method: 'POST', path: '/restart', body }, ANSWER_TIMEOUT_MS);
  if (answer.status === 200) return { done: true, detail: `restarted PostgreSQL of ${action.pod}` };
  // A member that was demoted meanwhile has its new values already.
  if (answer.status === 503 && answer.body.includes('not satisfied')) return { done: action.role === 'replica', detail: `${action.pod} needs no restart any more` };
  return { done: false, detail: `PostgreSQL of ${action.pod} did not restart (${answer.status}): ${answer.body.slice(0, 200)}` };
}
