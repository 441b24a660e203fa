/** A Pod goes, for a new one or for good; never the writer's. */
import { askTarget, no, type GaleraHands, type GaleraOutcome } from './hands.js';
import type { MemberTarget, ReplaceMember, RetireMember } from '../../model/galera/actions.js';
import { isSynced } from '../../model/galera/member.js';
import { evict } from '../evict-pod.js';
import { stopStatefulSet } from '../scale-to-zero.js';

async function whyNot(hands: GaleraHands, via: MemberTarget, member: string): Promise<string | undefined> {
  const report = await askTarget(hands, via);
  if (!report || !isSynced(report)) return `${via.member} is not synced any more`;
  return report.writer?.member === member ? `${member} is the writer now` : undefined;
}

export async function replaceMember(
  hands: GaleraHands, { member, pod, uid, via }: ReplaceMember,
): Promise<GaleraOutcome> {
  const objection = via && await whyNot(hands, via, member);
  return objection ? no(objection) : evict(hands, pod, uid);
}

export async function retireMember(
  hands: GaleraHands, { statefulSet, resourceVersion, via }: RetireMember,
): Promise<GaleraOutcome> {
  const objection = await whyNot(hands, via, statefulSet);
  return objection ? no(objection) : stopStatefulSet(hands, statefulSet, resourceVersion);
}
