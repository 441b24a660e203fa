/**
 * Asks Patroni for a switchover and looks who won. Patroni writes a checkpoint first, while clients still work, so
 * that the stop itself is short.
 */
import type { Hands, Outcome } from './executor.js';
import { takeRequest } from './take-request.js';
import { wakePatroni } from './wake-patroni.js';
import { leaderName } from '../../../src/contract/names.js';
import { askMember } from '../model/member-report.js';
import { leaderFacts, podFacts } from '../model/objects.js';
import type { Switchover } from '../model/operations.js';

/** Patroni answers after it is done, 2 to 3 s as a rule; its own limit is 20 s, and the checkpoint comes before. */
const ANSWER_TIMEOUT_MS = 120_000;

/** A Patroni that is woken has looked after some 50 ms. */
const LOOK_TIMEOUT_MS = 500;
const WOKEN_LIMIT_MS = 1000;
const LOOK_MS = 50;

export async function switchover(hands: Hands, action: Switchover): Promise<Outcome> {
  const { cluster, from, to, request } = action;
  const address = (pod: string) => hands.pods(cluster).map(podFacts).find(({ name }) => name === pod)?.ip;
  const ip = address(from), heir = address(to);
  if (!ip || !heir) return { done: false, detail: `the address of ${ip ? to : from} is unknown` };
  if (!(await isOnTimeline(hands, action, { from: ip, to: heir }))) {
    return { done: false, detail: `Patroni of ${to} has not seen the timeline of ${from} yet` };
  }
  if (request !== undefined && !(await takeRequest(hands, cluster, request))) {
    return { done: false, detail: 'the request was changed meanwhile' };
  }
  const before = await leaderOf(hands, cluster);
  if (before !== from) return { done: false, detail: `${before ?? 'nobody'} holds the lease, not ${from}` };
  return ask(hands, action, ip);
}

async function ask(hands: Hands, { cluster, from, to }: Switchover, ip: string): Promise<Outcome> {
  const body = { leader: from, candidate: to };
  const answer = await hands.patroni.send(ip, { method: 'POST', path: '/switchover', body }, ANSWER_TIMEOUT_MS);
  if (answer.status !== 200) return { done: false, detail: `Patroni refused the switchover (${answer.status}): ${answer.body.slice(0, 200)}` };
  // 200 only says that somebody else leads now.
  const after = await leaderOf(hands, cluster);
  return { done: true, detail: after === to ? `${after} is primary` : `${after ?? 'nobody'} is primary instead of ${to}` };
}

/**
 * Patroni refuses an heir whose own Patroni has not looked since the last promotion, for up to `loop_wait`, although
 * its server follows the new timeline. It looks when it is woken. Who does not answer is left to Patroni's judgement.
 */
async function isOnTimeline(
  hands: Hands, { cluster, to, from }: Switchover, ips: { from: string; to: string },
): Promise<boolean> {
  const { clock, patroni } = hands;
  const timelineOf = async (pod: string, ip: string) =>
    (await askMember(patroni, { pod, ip }, clock.nowMs(), LOOK_TIMEOUT_MS))?.timeline;
  const end = clock.nowMs() + WOKEN_LIMIT_MS;
  for (let woken = false; ; woken = true) {
    const [wanted, own] = await Promise.all([timelineOf(from, ips.from), timelineOf(to, ips.to)]);
    if (wanted === undefined || own === undefined || own === wanted) return true;
    if (clock.nowMs() >= end) return false;
    if (!woken) await wakePatroni(hands, { kind: 'WakePatroni', cluster, pod: to });
    await clock.sleep(LOOK_MS);
  }
}

async function leaderOf(hands: Hands, cluster: string): Promise<string | undefined> {
  return leaderFacts(await hands.kube.get('configmaps', leaderName(cluster))).pod;
}
