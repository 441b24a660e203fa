/** The primary as the lease and the watch have it; whoever asks it finds out whether it is one. */
import type { Store } from './store.js';
import { leaderName } from '../../../src/contract/names.js';
import { leaderFacts, podFacts } from '../model/objects.js';

export interface Primary {
  readonly name: string;
  readonly ip: string;
}

interface Stores {
  readonly dcs: Store;
  readonly pods: Store;
}

export function primaryOf({ dcs, pods }: Stores, cluster: string): Primary | undefined {
  const lease = dcs.current && pods.current ? dcs.get(leaderName(cluster)) : undefined;
  const pod = lease && pods.get(leaderFacts(lease).pod ?? '');
  const ip = pod && podFacts(pod).ip;
  return pod && ip ? { name: pod.metadata.name, ip } : undefined;
}
