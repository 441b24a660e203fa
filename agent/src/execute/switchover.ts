/**
 * Asks Patroni for a switchover and looks who won. Patroni writes a checkpoint first, while clients still work, so
 * that the stop itself is short.
 */
import type { Hands, Outcome } from './executor.js';
import { takeRequest } from './take-request.js';
import { leaderName } from '../../../src/contract/names.js';
import { leaderFacts, podFacts } from '../model/objects.js';
import type { Switchover } from '../model/operations.js';

/** Patroni answers after it is done, 2 to 3 s as a rule; its own limit is 20 s, and the checkpoint comes before. */
const ANSWER_TIMEOUT_MS = 120_000;

export async function switchover(hands: Hands, action: Switchover): Promise<Outcome> {
  if (action.request !== undefined && !(await takeRequest(hands, action.cluster, action.request))) {
    return { done: false, detail: 'the request was changed meanwhile' };
  }
  const before = await leaderOf(hands, action.cluster);
  if (before !== action.from) return { done: false, detail: `${before ?? 'nobody'} holds the lease, not ${action.from}` };
  const ip = hands.pods(action.cluster).map(podFacts).find((pod) => pod.name === action.from)?.ip;
  if (!ip) return { done: false, detail: `the address of ${action.from} is unknown` };
  const body = { leader: action.from, candidate: action.to };
  const answer = await hands.patroni.send(ip, { method: 'POST', path: '/switchover', body }, ANSWER_TIMEOUT_MS);
  if (answer.status !== 200) return { done: false, detail: `Patroni refused the switchover (${answer.status}): ${answer.body.slice(0, 200)}` };
  // 200 only says that somebody else leads now.
  const after = await leaderOf(hands, action.cluster);
  return { done: true, detail: after === action.to ? `${after} is primary` : `${after ?? 'nobody'} is primary instead of ${action.to}` };
}

async function leaderOf(hands: Hands, cluster: string): Promise<string | undefined> {
  return leaderFacts(await hands.kube.get('configmaps', leaderName(cluster))).pod;
}
