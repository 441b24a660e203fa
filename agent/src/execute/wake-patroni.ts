/**
 * Wakes Patroni of a member. It does so itself whenever somebody changes its configuration through it, also when the
 * change turns out to change nothing (`do_PATCH_config` of Patroni 4): removing a key that nobody sets is such a one.
 */
import type { Hands, Outcome } from './executor.js';
import type { WakePatroni } from '../model/actions.js';
import { podFacts } from '../model/objects.js';

const ANSWER_TIMEOUT_MS = 2000;
const NO_CHANGE = { everest_wake: null };

export async function wakePatroni(hands: Hands, { cluster, pod }: WakePatroni): Promise<Outcome> {
  const ip = hands.pods(cluster).map(podFacts).find(({ name }) => name === pod)?.ip;
  if (!ip) return { done: false, detail: `the address of ${pod} is unknown` };
  const answer = await hands.patroni.send(ip, { method: 'PATCH', path: '/config', body: NO_CHANGE }, ANSWER_TIMEOUT_MS);
  return { done: answer.status === 200, detail: answer.status === 200 ? `woke Patroni on ${pod}` : `Patroni on ${pod} answered ${answer.status}` };
}
