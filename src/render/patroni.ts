import { FILES } from './files';
import { renderYaml } from './yaml';
import { rotationLogins } from '../contract/declared-sql';
import { STANZA, type MemberDocument, type MemberDocumentSource } from '../contract/document';
import { COMPONENT, LABEL, ROLE } from '../contract/labels';
import { podName } from '../contract/names';
import { PATRONI_PORT, POSTGRES_PORT } from '../contract/ports';
import type { ResolvedRepository } from '../resolve/backup';
import { AGENT_KEY, AGENT_ROLE, POOLER_KEY, POOLER_ROLE, POOLER_USERLIST_KEY, SYSTEM_ROLES, type ResolvedPostgres } from '../resolve/postgres';

const SCRIPT = `python3 ${FILES.folder}/${FILES.script}`;

/**
 * At each promotion one segment is copied and synced, at each planned stop the rest of one is written and streamed, and
 * clients wait meanwhile: ADR 12 has what that costs.
 */
const WAL_SEGMENT_MIB = '4';

/** Folder of the database files: one for each major version. */
export function dataDirectory(cluster: ResolvedPostgres): string {
  return `${FILES.data}/pg${cluster.image.major}`;
}

/** Only set where the write-ahead log has a volume; all members of a cluster then have one. */
function walDirectory(cluster: ResolvedPostgres): string | undefined {
  return cluster.groups.some((group) => group.storage.walSize) ? `${FILES.wal}/pg${cluster.image.major}` : undefined;
}

/** Patroni counts Pods with these labels as members and writes them on its ConfigMaps. */
function kubernetes(cluster: ResolvedPostgres): Record<string, unknown> {
  return {
    labels: { [LABEL.component]: COMPONENT.member },
    scope_label: LABEL.cluster,
    role_label: LABEL.role,
    leader_label_value: ROLE.primary,
    follower_label_value: ROLE.replica,
    standby_leader_label_value: ROLE.standbyLeader,
    use_endpoints: false,
    namespace: cluster.namespace,
  };
}

function bootstrap(cluster: ResolvedPostgres): Record<string, unknown> {
  const wal = walDirectory(cluster);
  return {
    // Read only when the cluster is made; later changes go through Patroni's REST API.
    dcs: cluster.patroni,
    initdb: ['data-checksums', { 'wal-segsize': WAL_SEGMENT_MIB }, { encoding: 'UTF8' }, { locale: 'C.UTF-8' },
      { 'auth-local': 'peer' }, { 'auth-host': 'scram-sha-256' }, ...(wal ? [{ waldir: wal }] : [])],
    post_bootstrap: `${SCRIPT} post-bootstrap`,
  };
}

function postgresql(cluster: ResolvedPostgres): Record<string, unknown> {
  const wal = walDirectory(cluster);
  // Only who leads has work to do, and who did: starting Python on every standby would only cost time.
  const callback = `sh -c '[ $1 = primary ] || [ -f ${FILES.data}/primary-timeline ] || exit 0; exec nice ${SCRIPT} callback "$0" "$@"'`;
  return {
    listen: `*:${POSTGRES_PORT}`,
    data_dir: dataDirectory(cluster),
    bin_dir: cluster.image.binDirectory,
    pgpass: '/tmp/pgpass',
    use_unix_socket: true,
    // Patroni's own look at a standby's history needs no password, so it works while passwords change.
    use_unix_socket_repl: true,
    authentication: {
      superuser: { username: SYSTEM_ROLES.superuser },
      replication: { username: SYSTEM_ROLES.replication },
      rewind: { username: SYSTEM_ROLES.rewind },
    },
    // Always on, and the same command everywhere: a mode of archiving changes by restarts only, a file does not.
    parameters: {
      unix_socket_directories: FILES.sockets,
      archive_mode: 'always',
      archive_command: `sh ${FILES.folder}/${FILES.archive} push %p`,
    },
    recovery_conf: { restore_command: `sh ${FILES.folder}/${FILES.archive} get %f %p` },
    // The archive spares the primary; without a backup, or without its storage, a replica is copied from the primary.
    create_replica_methods: ['archive', 'basebackup'],
    archive: { command: `${SCRIPT} create-replica`, keep_data: true, no_params: true },
    ...(cluster.standby ? { source: { command: `${SCRIPT} create-standby`, keep_data: true, no_params: true, no_leader: true } } : {}),
    callbacks: { on_role_change: callback, on_start: callback },
    basebackup: [{ checkpoint: 'fast' }, ...(wal ? [{ waldir: wal }] : [])],
  };
}

/** patroni.yml of all members. Passwords come from the environment, which member.py fills. */
export function renderPatroni(cluster: ResolvedPostgres): string {
  return renderYaml({
    scope: cluster.name,
    kubernetes: kubernetes(cluster),
    restapi: { listen: `*:${PATRONI_PORT}` },
    // Pods have no watchdog device; without this Patroni warns about it at every promotion.
    watchdog: { mode: 'off' },
    bootstrap: bootstrap(cluster),
    postgresql: postgresql(cluster),
  });
}

/** Settings of members that never become primary: no failover to them, no commit waits for them. */
export function renderUnpromotable(): string {
  return renderYaml({ tags: { nofailover: true, nosync: true } });
}

/** Where members find what pgbackrest.conf does not hold. */
function memberBackup({ backup, superseding }: ResolvedPostgres): MemberDocument['backup'] {
  return backup && {
    stanza: STANZA,
    repositories: backup.repositories.map(({ key, url, secrets, files, pass }) =>
      ({ key, storage: url, secrets, files, pass })),
    superseding,
  };
}

/** A repository that is only read, as members configure pgBackRest for it. */
function source({ key, options, url, secrets, files, pass }: ResolvedRepository): MemberDocumentSource {
  return {
    stanza: STANZA,
    repository: { key, storage: url, secrets, files, pass },
    options: Object.fromEntries(Object.entries(options).map(([option, value]) => [`repo${key}-${option}`, value])),
  };
}

/** The source stands here and not in a file of pgBackRest's: without data, members have no use for it. */
function memberRecovery({ recovery, groups }: ResolvedPostgres): MemberDocument['recovery'] {
  if (!recovery) return undefined;
  const { goal, keepPasswords, pauseAtTarget, repository, snapshot } = recovery;
  const volume = snapshot === undefined ? undefined : { name: snapshot, size: groups[0]!.storage.size };
  return { ...source(repository), goal, keepPasswords, pauseAtTarget, snapshot: volume };
}

/** That it is there says that the cluster follows another one; without an archive it is empty. */
function memberStandby({ standby }: ResolvedPostgres): MemberDocument['standby'] {
  return standby && (standby.repository ? source(standby.repository) : {});
}

/** cluster.json: what member.py needs to know. */
export function renderMemberDocument(cluster: ResolvedPostgres): string {
  const generate = cluster.generatesCredentials;
  const document: MemberDocument = {
    name: cluster.name,
    members: cluster.groups.flatMap((group) => group.members).map(podName),
    dataDirectory: dataDirectory(cluster),
    walDirectory: walDirectory(cluster),
    binDirectory: cluster.image.binDirectory,
    major: cluster.image.major,
    agent: cluster.agent !== undefined,
    credentials: {
      secret: cluster.credentialsSecret,
      generate,
      keys: { superuser: 'superuser', replication: 'replication', rewind: 'rewind' },
      roles: SYSTEM_ROLES,
      pooler: { role: POOLER_ROLE, key: POOLER_KEY, userlistKey: POOLER_USERLIST_KEY },
      agent: { role: AGENT_ROLE, key: AGENT_KEY },
    },
    owners: cluster.owners.map(({ role, secret, database }) => ({
      role,
      logins: rotationLogins(role),
      secret,
      generate: generate && cluster.roles.some((each) => each.secret?.name === secret && each.secret.fill),
      connection: { host: cluster.host, port: String(POSTGRES_PORT), dbname: database },
    })),
    databases: cluster.databases.map(({ name, owner }) => ({ name, owner })),
    socketDirectory: FILES.sockets,
    backup: memberBackup(cluster),
    recovery: memberRecovery(cluster),
    replacement: cluster.replacement,
    standby: memberStandby(cluster),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
