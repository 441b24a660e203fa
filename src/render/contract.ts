import { CONTRACT_VERSION, type ContractDocument } from '../contract/document';
import { podName, volumeName } from '../contract/names';
import type { ResolvedGroup } from '../resolve/groups';
import { AGENT_KEY, AGENT_ROLE, type ResolvedPostgres } from '../resolve/postgres';

function contractMembers(group: ResolvedGroup): ContractDocument['members'] {
  return group.members.map((name) => ({
    name,
    pod: podName(name),
    group: group.name,
    promotable: group.promotable,
    volumes: [volumeName(name, 'data'), ...(group.storage.walSize ? [volumeName(name, 'wal')] : [])],
  }));
}

/** The contract document as JSON. */
export function renderContract(cluster: ResolvedPostgres): string {
  const document: ContractDocument = {
    contractVersion: CONTRACT_VERSION,
    engine: 'postgresql',
    cluster: cluster.name,
    namespace: cluster.namespace,
    engineVersion: cluster.image.version,
    members: cluster.groups.flatMap(contractMembers),
    agentLogin: { role: AGENT_ROLE, secret: cluster.credentialsSecret, key: AGENT_KEY },
    preferAvailability: cluster.preferAvailability,
    databases: cluster.databases,
    roles: cluster.roles,
    patroni: cluster.patroni,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
