/**
 * Candidates ask every known member before they stand, and wait 2 s for each one whose node is dark. Without the
 * annotation that holds its address they do not ask it. A member that lives writes its address again within one loop.
 */
import type { Hands } from './executor.js';
import { PATRONI_PORT } from '../../../src/contract/ports.js';
import type { PodFacts } from '../model/facts.js';
import { podFacts } from '../model/objects.js';

/** It is only asked whether an election should wait for them; it must not wait for the asking. */
const PROBE_MS = 100;
/** Candidates watch Pods and the lease on two streams; they must have heard of the one before the other. */
const HEARD_MS = 40;

interface Lost {
  readonly cluster: string;
  readonly uid: string;
}

/**
 * The lost primary in any case, and whoever is silent. A Pod without an address has none to tell either: what stands on
 * it is the last word of its predecessor's process, which goes by the same name.
 */
export async function forgetSilent(hands: Hands, { cluster, uid }: Lost): Promise<void> {
  const pods = hands.pods(cluster).map(podFacts);
  const isSilent = async ({ ip }: PodFacts) => !ip || await hands.network.probe(ip, PATRONI_PORT, PROBE_MS) === 'silent';
  const silent = await Promise.all(pods.map(async (pod) => pod.uid === uid || isSilent(pod)));
  await Promise.all(pods.filter((_, index) => silent[index]).map((pod) => forget(hands, pod)));
  await hands.clock.sleep(HEARD_MS);
}

async function forget(hands: Hands, { name, uid }: PodFacts): Promise<void> {
  try {
    await hands.kube.patch('pods', name, { metadata: { uid, annotations: { status: null } } });
  } catch (problem) {
    hands.log.warn('could not take the address off a silent member', { pod: name, problem: String(problem) });
  }
}
