/** Stops a member that the contract no longer lists. Its volume claims are not touched. */
import type { Hands, Outcome } from './executor.js';
import { leaderName } from '../../../src/contract/names.js';
import { leaderFacts } from '../model/objects.js';
import type { ScaleToZero } from '../model/operations.js';
import { KubeError } from '../ports/kube.js';

export async function scaleToZero(hands: Hands, action: ScaleToZero): Promise<Outcome> {
  const lease = leaderFacts(await hands.kube.get('configmaps', leaderName(action.cluster)));
  if (lease.pod === action.pod) return { done: false, detail: `${action.pod} is the primary now` };
  return stopStatefulSet(hands, action.statefulSet, action.resourceVersion);
}

export async function stopStatefulSet(
  { kube }: Pick<Hands, 'kube'>, name: string, resourceVersion: string,
): Promise<Outcome> {
  try {
    await kube.patch('statefulsets', name, { metadata: { resourceVersion }, spec: { replicas: 0 } });
    return { done: true, detail: `scaled ${name} to 0` };
  } catch (problem) {
    if (problem instanceof KubeError && problem.conflict) return { done: false, detail: `${name} was changed meanwhile` };
    throw problem;
  }
}
