/**
 * Candidates ask every known member before they stand, and wait 2 s for each one whose node is dark. Without the
 * annotation that holds its address they do not ask it. A member that lives writes its address again within one loop.
 */
import type { Hands } from './executor.js';
import { PATRONI_PORT } from '../../../src/contract/ports.js';
import { podFacts } from '../model/objects.js';

/** It is only asked whether an election should wait for them; it must not wait for the asking. */
const PROBE_MS = 100;
/** Candidates watch Pods and the lease on two streams; they must have heard of the one before the other. */
const HEARD_MS = 40;

interface Lost {
  readonly cluster: string;
  readonly pod: string;
  readonly uid: string;
}

type Incarnation = Pick<ReturnType<typeof podFacts>, 'name' | 'uid'>;

/** The lost primary in any case, the others where they are silent. */
export async function forgetSilent(hands: Hands, { cluster, pod, uid }: Lost): Promise<void> {
  const pods = hands.pods(cluster).map(podFacts);
  const others = pods.filter((item) => item.name !== pod && item.ip !== undefined);
  const reached = await Promise.all(others.map((item) => hands.network.probe(item.ip!, PATRONI_PORT, PROBE_MS)));
  const silent = others.filter((_, index) => reached[index] === 'silent');
  const lost = pods.filter((item) => item.uid === uid);
  await Promise.all([...lost, ...silent].map((item) => forget(hands, item)));
  await hands.clock.sleep(HEARD_MS);
}

async function forget(hands: Hands, { name, uid }: Incarnation): Promise<void> {
  try {
    await hands.kube.patch('pods', name, { metadata: { uid, annotations: { status: null } } });
  } catch (problem) {
    hands.log.warn('could not take the address off a silent member', { pod: name, problem: String(problem) });
  }
}
