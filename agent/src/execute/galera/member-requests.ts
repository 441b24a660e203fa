/** Requests to one member whose preconditions the member itself checks once more. */
import { askTarget, bodyOf, no, tell, type GaleraHands, type GaleraOutcome } from './hands.js';
import type { RestartServer, SetDataAside, StopServer } from '../../model/galera/actions.js';
import { isInPrimary, isStill, isSynced } from '../../model/galera/member.js';
import { tellPosition } from '../../model/galera/position.js';

/** Only while somebody serves who can give a copy. */
export async function setDataAside(
  hands: GaleraHands, { target, via, position }: SetDataAside,
): Promise<GaleraOutcome> {
  const [own, serving] = await Promise.all([askTarget(hands, target), askTarget(hands, via)]);
  if (!serving || !isSynced(serving)) return no(`${via.member} does not serve any more`);
  if (!own || !isStill(own) || tellPosition(own.position) !== tellPosition(position)) return no(`${target.member} changed meanwhile`);
  return tell(hands, target, '/set-aside', { id: `aside-${target.bootId}`, ...bodyOf(position) });
}

/** Never one that serves. */
export async function stopServer(hands: GaleraHands, { target }: StopServer): Promise<GaleraOutcome> {
  const own = await askTarget(hands, target);
  if (!own || isInPrimary(own)) return no(`${target.member} ${own ? 'serves now' : 'does not answer'}`);
  return tell(hands, target, '/stop', {});
}

/** Never the writer. */
export async function restartServer(hands: GaleraHands, { target }: RestartServer): Promise<GaleraOutcome> {
  const own = await askTarget(hands, target);
  if (!own || !isSynced(own)) return no(`${target.member} is not synced any more`);
  if (own.writer?.member === target.member) return no(`${target.member} is the writer now`);
  return tell(hands, target, '/restart', {});
}
