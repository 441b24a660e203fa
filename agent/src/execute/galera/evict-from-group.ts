/** All survivors are told at once: whoever is first ends the stall, and the others have nothing left to do. */
import { askTarget, no, tell, type GaleraHands, type GaleraOutcome } from './hands.js';
import type { EvictFromGroup } from '../../model/galera/actions.js';

export async function evictFromGroup(
  hands: GaleraHands, { member, gcomm, said, via }: EvictFromGroup,
): Promise<GaleraOutcome> {
  const startMs = hands.clock.nowMs();
  if (said && (await askTarget(hands, said))?.serverRuns !== false) return no(`${member} does not say so any more`);
  const telling = via.map(async (target) => {
    const outcome = await tell(hands, target, '/evict', { gcommUuid: gcomm });
    if (!outcome.done) throw new Error(outcome.detail);
    return target.member;
  });
  try {
    const first = await Promise.any(telling);
    return { done: true, detail: `${first} evicted ${member} (${Math.round(hands.clock.nowMs() - startMs)} ms)` };
  } catch (problem) {
    const why = (problem as AggregateError).errors.map((each: Error) => each.message).join(', ');
    // They have answered: it is no member of theirs any more.
    return why.includes('(409)') ? { ...no(why), refused: true } : no(why);
  }
}
