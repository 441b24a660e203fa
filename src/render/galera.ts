import { galeraRecordName, membersServiceName, primaryServiceName, proxyName, replicaServiceName } from '../contract/names';
import type { ResolvedRepository } from '../resolve/backup';
import { GALERA_USERS, type ResolvedGalera } from '../resolve/galera';

/** Places inside a member's containers, and the files of the ConfigMap that lie there. */
export const GALERA_FILES = {
  folder: '/etc/everest',
  script: 'galera-member.py',
  member: 'galera.json',
  settings: 'my.cnf',
  /** Runs the server where its image has no Python. */
  runner: 'galera-run.sh',
  /** Mount of the volume; the database lies in a folder below. */
  data: '/var/lib/mysql',
  /** In memory: socket, certificate and the settings that hold secrets. */
  run: '/run/mysqld',
  /** Below it: how programs of backups are started where they are in the server's image alone. */
  tools: '/run/mysqld/tools',
} as const;

/** Seconds that members leave to an agent before they recover by themselves. */
const AGENT_FIRST_SECONDS = 5;

function tlsNames({ name, namespace }: ResolvedGalera): string[] {
  const services = [primaryServiceName(name), replicaServiceName(name), proxyName(name), `*.${membersServiceName(name)}`];
  return ['localhost', ...services.flatMap((service) => [service, `${service}.${namespace}`, `${service}.${namespace}.svc`])];
}

/** Secrets' keys that members fill: `api` signs requests, the others are passwords. */
function credentialKeys({ engine }: ResolvedGalera): string[] {
  return ['api', ...GALERA_USERS.map(({ key }) => key), ...(engine === 'mariadb' ? [] : ['root'])];
}

/** Far from those of servers; two collectors of one number would end each other's stream. */
const COLLECTOR_SERVER_ID = 4_000_000_001;

/** Where an archive is; secrets stand in it by name only. */
function repositoryOf({ options, secrets, files, pass, url }: ResolvedRepository): Record<string, unknown> {
  return { storage: url, options, secrets, files, pass };
}

/** What a new cluster begins with. */
function recoveryOf({ recovery, replacement }: ResolvedGalera): Record<string, unknown> {
  const inPlace = replacement ? { replacement } : {};
  if (!recovery) return inPlace;
  const { repository, goal, keepPasswords } = recovery;
  return { recovery: { repository: repositoryOf(repository), target: goal, keepPasswords }, ...inPlace };
}

/** What backups and the collector of the binary log need. */
function archiveOf({ backup }: ResolvedGalera): Record<string, unknown> {
  const [repository] = backup?.repositories ?? [];
  if (!backup || !repository) return {};
  const { options } = repository;
  return {
    archive: {
      repository: {
        ...repositoryOf(repository),
        level: backup.compressionLevel,
        retention: { type: options['retention-full-type'], amount: Number(options['retention-full']) },
      },
      intervalSeconds: backup.archiveTimeoutSeconds,
      serverId: COLLECTOR_SERVER_ID,
    },
  };
}

/** galera.json: what galera-member.py reads. */
export function renderGaleraMember(cluster: ResolvedGalera): string {
  const { name, namespace, engine } = cluster;
  const document = {
    cluster: name,
    namespace,
    engine,
    server: engine === 'mariadb' ? 'mariadbd' : 'mysqld',
    remote: cluster.scriptImage !== undefined,
    ...(engine === 'mariadb' ? {} : { toolsDirectory: `/usr/bin/pxc_extra/pxb-${cluster.image.major}/bin` }),
    members: cluster.group.members,
    volume: GALERA_FILES.data,
    run: GALERA_FILES.run,
    peersDomain: `${membersServiceName(name)}.${namespace}.svc`,
    stopSeconds: cluster.stopSeconds,
    selfRecoverySeconds: cluster.agent === undefined ? 0 : AGENT_FIRST_SECONDS,
    recordConfigMap: galeraRecordName(name),
    credentials: {
      secret: cluster.credentialsSecret, generate: cluster.generatesCredentials, keys: credentialKeys(cluster),
    },
    tls: { secret: cluster.tlsSecret, generate: cluster.generatesTls, names: tlsNames(cluster) },
    users: GALERA_USERS,
    owners: cluster.owners,
    ...(cluster.roles.length === 0 ? {} : { roles: cluster.roles }),
    databases: cluster.databases,
    providerOptions: cluster.providerOptions,
    ...archiveOf(cluster),
    ...recoveryOf(cluster),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** my.cnf without what differs between members; the script adds that. */
export function renderMyCnf({ parameters }: ResolvedGalera): string {
  return `[mysqld]\n${Object.entries(parameters).map(([name, value]) => `${name}=${value}\n`).join('')}`;
}
