import { contractBackup } from './contract';
import { CONTRACT_VERSION, type ContractSchedule } from '../contract/document';
import { GALERA_API_KEY, type GaleraContract } from '../contract/galera';
import { podName, volumeName } from '../contract/names';
import type { ResolvedGalera } from '../resolve/galera';

/** The contract document of a Galera cluster as JSON. */
export function renderGaleraContract(cluster: ResolvedGalera, schedules: readonly ContractSchedule[] = []): string {
  const document: GaleraContract = {
    contractVersion: CONTRACT_VERSION,
    engine: cluster.engine,
    cluster: cluster.name,
    namespace: cluster.namespace,
    engineVersion: cluster.image.version,
    members: cluster.group.members.map((name) => ({
      name, pod: podName(name), group: cluster.group.name, promotable: true, volumes: [volumeName(name, 'data')],
    })),
    agentLogin: { role: 'everest_agent', secret: cluster.credentialsSecret, key: GALERA_API_KEY },
    // Kept by the members themselves (galera.json).
    databases: [],
    roles: [],
    ...(cluster.backup ? { backup: contractBackup(cluster.backup, schedules) } : {}),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
