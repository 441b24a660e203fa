import { CONTRACT_VERSION, STANZA, type ContractBackup, type ContractDocument, type ContractSchedule } from '../contract/document';
import { podName, volumeName } from '../contract/names';
import type { ResolvedBackup } from '../resolve/backup';
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

/** What is promised about backups of any engine. */
export function contractBackup(backup: ResolvedBackup,
  schedules: readonly ContractSchedule[]): Omit<ContractBackup, 'stanza'> {
  return {
    repositories: backup.repositories.map(({ key, url }) => ({ key, storage: url })),
    schedules: schedules.map(({ name, type, cron, timeZone, suspended, repository, target }) =>
      ({ name, type, cron, timeZone, suspended, repository, target })),
    archiveTimeoutSeconds: backup.archiveTimeoutSeconds,
  };
}

/** The contract document as JSON. */
export function renderContract(cluster: ResolvedPostgres, schedules: readonly ContractSchedule[] = []): string {
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
    backup: cluster.backup && { stanza: STANZA, ...contractBackup(cluster.backup, schedules) },
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
