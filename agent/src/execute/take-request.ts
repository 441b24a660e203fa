/** Takes a person's request off `<cluster>-status`, if it is still the one that was decided on. */
import type { Hands, Outcome } from './executor.js';
import { SWITCHOVER_ANNOTATION } from '../../../src/contract/labels.js';
import { statusName } from '../../../src/contract/names.js';
import type { RefuseRequest } from '../model/operations.js';

/** False: somebody has changed it meanwhile. */
export async function takeRequest(
  hands: Pick<Hands, 'kube'>, cluster: string, request: string, annotation: string = SWITCHOVER_ANNOTATION,
): Promise<boolean> {
  const name = statusName(cluster);
  const { metadata } = await hands.kube.get('configmaps', name);
  if (metadata.annotations?.[annotation] !== request) return false;
  await hands.kube.patch('configmaps', name, {
    metadata: { resourceVersion: metadata.resourceVersion, annotations: { [annotation]: null } },
  });
  return true;
}

export async function refuseRequest(hands: Hands, action: RefuseRequest): Promise<Outcome> {
  const taken = await takeRequest(hands, action.cluster, action.request);
  return { done: false, detail: taken ? `refused: ${action.reason}` : 'the request was changed meanwhile' };
}
