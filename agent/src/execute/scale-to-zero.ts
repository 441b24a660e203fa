/** Stops a member that the contract no longer lists. Its volume claims are not touched. */
import type { Hands, Outcome } from './executor.js';
import { leaderName } from '../../../src/contract/names.js';
import { leaderFacts } from '../model/objects.js';
import type { ScaleToZero } from '../model/operations.js';
import { KubeError } from '../ports/kube.js';

export async function scaleToZero(hands: Hands, action: ScaleToZero): Promise<Outcome> {
  const lease = leaderFacts(await hands.kube.get('configmaps', leaderName(action.cluster)));
  if (lease.pod === action.pod) return { done: false, detail: `${action.pod} is the primary now` };
  try {
    await hands.kube.patch('statefulsets', action.statefulSet, { metadata: { resourceVersion: action.resourceVersion }, spec: { replicas: 0 } });
    return { done: true, detail: `scaled ${action.statefulSet} to 0` };
  } catch (problem) {
    if (problem instanceof KubeError && problem.conflict) return { done: false, detail: `${action.statefulSet} was changed meanwhile` };
    throw problem;
  }
}
