/**
 * Stores a grant. Everybody on whose word it rests is asked once more, and must be the same process, still without a
 * component; the record must be as it was. From two replicas of the agent one stores, the other one reads.
 */
import { askTarget, no, type GaleraHands, type GaleraOutcome } from './hands.js';
import { readRecord, writeRecord } from './record.js';
import { BOOTSTRAP_ANNOTATION } from '../../../../src/contract/labels.js';
import type { StoreGrant } from '../../model/galera/actions.js';
import { isStill, type GaleraReport } from '../../model/galera/member.js';
import { tellPosition } from '../../model/galera/position.js';
import type { Grant } from '../../model/galera/record.js';
import { takeRequest } from '../take-request.js';

function isAsBefore(report: GaleraReport, { member, position, kind }: StoreGrant['grant']): boolean {
  const survives = kind === 'promotion' && report.phase === 'nonprimary' && report.wsrep?.primary === false;
  if (report.member !== member) return survives || isStill(report);
  const is = kind === 'promotion' ? survives : isStill(report);
  return is && tellPosition(report.position) === tellPosition(position);
}

async function whoChanged(hands: GaleraHands, { grant, witnesses }: StoreGrant): Promise<string[]> {
  const reports = await Promise.all(witnesses.map((target) => askTarget(hands, target)));
  const isSame = (report: GaleraReport | undefined) => report !== undefined && isAsBefore(report, grant);
  return witnesses.filter((_, index) => !isSame(reports[index])).map(({ member }) => member);
}

export async function storeGrant(hands: GaleraHands, action: StoreGrant): Promise<GaleraOutcome> {
  const { cluster, request } = action;
  const changed = await whoChanged(hands, action);
  if (changed.length > 0) return no(`${changed.join(', ')} changed meanwhile`);
  const record = await readRecord(hands, cluster);
  if (record?.resourceVersion !== action.recordVersion) return no('the record was changed meanwhile');
  if (request !== undefined && !(await takeRequest(hands, cluster, request, BOOTSTRAP_ANNOTATION))) return no('the request was changed meanwhile');
  const grant: Grant = {
    ...action.grant, id: `${record.grants.length + 1}-${record.resourceVersion}`, at: hands.clock.wall().toISOString(),
  };
  const stored = await writeRecord(hands, cluster, { ...record, grants: [...record.grants, grant] });
  return stored ? { done: true, detail: `granted to ${grant.member} at ${tellPosition(grant.position)}` } : no('another replica was first');
}
