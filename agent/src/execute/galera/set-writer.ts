/** Another member takes writes. It is stored in the cluster's own table, where all proxies find the same. */
import { askTarget, no, tell, type GaleraHands, type GaleraOutcome } from './hands.js';
import { BOOTSTRAP_ANNOTATION, SWITCHOVER_ANNOTATION } from '../../../../src/contract/labels.js';
import type { RefuseGaleraRequest, SetWriter } from '../../model/galera/actions.js';
import { isSynced } from '../../model/galera/member.js';
import { takeRequest } from '../take-request.js';

export async function setWriter(
  hands: GaleraHands, { cluster, to, epoch, via, request }: SetWriter,
): Promise<GaleraOutcome> {
  if (request !== undefined && !(await takeRequest(hands, cluster, request, SWITCHOVER_ANNOTATION))) return no('the request was changed meanwhile');
  const report = await askTarget(hands, via);
  if (!report || !isSynced(report)) return no(`${via.member} is not synced any more`);
  const outcome = await tell(hands, via, '/writer', { member: to, epoch });
  return outcome.done ? { done: true, detail: `${to} takes writes` } : outcome;
}

export async function refuseGaleraRequest(
  hands: GaleraHands, { cluster, what, request, reason }: RefuseGaleraRequest,
): Promise<GaleraOutcome> {
  const annotation = what === 'bootstrap' ? BOOTSTRAP_ANNOTATION : SWITCHOVER_ANNOTATION;
  const taken = await takeRequest(hands, cluster, request, annotation);
  return no(taken ? `refused: ${reason}` : 'the request was changed meanwhile');
}
