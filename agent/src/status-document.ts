/** Changes one document in `<cluster>-status` that several Jobs write. */
import { KubeError, type Kube, type KubeObject } from './ports/kube.js';
import { statusName } from '../../src/contract/names.js';

/** Jobs of one kind write one after the other; the agent's own writes are in between. */
const MOST_TRIES = 5;

/** The status is read again before each try, so that nothing of what others wrote is lost. */
export async function changeDocument(
  kube: Kube, cluster: string, key: string, change: (object: KubeObject) => object,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const object = await kube.get('configmaps', statusName(cluster));
    const body = {
      metadata: { resourceVersion: object.metadata.resourceVersion },
      data: { [key]: `${JSON.stringify(change(object), undefined, 2)}\n` },
    };
    try {
      await kube.patch('configmaps', statusName(cluster), body);
      return;
    } catch (problem) {
      if (!(problem instanceof KubeError && problem.conflict) || tries === MOST_TRIES) throw problem;
    }
  }
}
