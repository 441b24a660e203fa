/**
 * Evicts one member's Pod, so that its StatefulSet makes it anew. The primary is never evicted while it has standbys.
 */
import type { Hands, Outcome } from './executor.js';
import { leaderName } from '../../../src/contract/names.js';
import { leaderFacts } from '../model/objects.js';
import type { EvictPod } from '../model/operations.js';
import { KubeError } from '../ports/kube.js';

export async function evictPod(hands: Hands, action: EvictPod): Promise<Outcome> {
  const lease = leaderFacts(await hands.kube.get('configmaps', leaderName(action.cluster)));
  if (lease.pod === action.pod && !action.evenPrimary) return { done: false, detail: `${action.pod} is the primary now` };
  return evict(hands, action.pod, action.uid);
}

/** By the Eviction API, so that budgets count. */
export async function evict({ kube }: Pick<Hands, 'kube'>, pod: string, uid: string): Promise<Outcome> {
  try {
    await kube.evict(pod, uid);
    return { done: true, detail: `evicted ${pod}` };
  } catch (problem) {
    if (!(problem instanceof KubeError)) throw problem;
    if (problem.status === 429) return { done: false, detail: `a PodDisruptionBudget forbids the eviction of ${pod} now` };
    if (problem.conflict || problem.notFound) return { done: false, detail: `${pod} is another Pod by now` };
    throw problem;
  }
}
