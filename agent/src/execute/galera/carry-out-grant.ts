/**
 * Tells the member of the last grant to begin. Any replica may do it, and more than once: the member takes each grant
 * once, only as the process that it was given to, and only at the position that it names.
 */
import { askTarget, bodyOf, no, tell, type GaleraHands, type GaleraOutcome } from './hands.js';
import { readRecord } from './record.js';
import type { CarryOutGrant } from '../../model/galera/actions.js';
import { openGrant } from '../../model/galera/record.js';

export async function carryOutGrant(
  hands: GaleraHands, { cluster, target, grant }: CarryOutGrant,
): Promise<GaleraOutcome> {
  const record = await readRecord(hands, cluster);
  if (!record || openGrant(record)?.id !== grant.id) return no('another grant was stored meanwhile');
  const report = await askTarget(hands, target);
  if (!report) return no(`${target.member} does not answer`);
  const path = grant.kind === 'promotion' ? '/pc-bootstrap' : '/bootstrap';
  return tell(hands, target, path, { id: grant.id, ...bodyOf(grant.position) });
}
