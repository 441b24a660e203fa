/**
 * Takes the role label off a dead member, so that Services stop sending clients to it, and its address, so that the
 * next election does not wait 2 s for its answer. A living Patroni writes both again within one loop.
 */
import type { Hands, Outcome } from './executor.js';
import { LABEL } from '../../../src/contract/labels.js';
import { leaderName } from '../../../src/contract/names.js';
import type { RemoveStaleRole } from '../model/actions.js';
import { leaderFacts } from '../model/objects.js';

export async function removeStaleRole(hands: Hands, action: RemoveStaleRole): Promise<Outcome> {
  const lease = leaderFacts(await hands.kube.get('configmaps', leaderName(action.cluster)));
  if (lease.pod === action.pod) return { done: false, detail: `${action.pod} holds the lease again` };
  await hands.kube.patch('pods', action.pod, { metadata: { uid: action.uid, labels: { [LABEL.role]: null }, annotations: { status: null } } });
  return { done: true, detail: `took the role label off ${action.pod}` };
}
