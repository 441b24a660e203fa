import { MEMBER_PATHS } from '../contract/backup';

/** Places inside a member's container, and the files of the ConfigMap that lie there. */
export const FILES = {
  /** The ConfigMap's mount. */
  folder: '/etc/everest',
  script: 'member.py',
  /** Imported by it: the Kubernetes API and Secrets. */
  kube: 'kube.py',
  /** Started by member.py where the first data come from backups. */
  recovery: 'recovery.py',
  /** Backup mode for snapshots of volumes, and volumes that were made of them. */
  snapshot: 'snapshot.py',
  member: 'cluster.json',
  patroni: 'patroni.yml',
  /** Empty without backups. */
  pgbackrest: 'pgbackrest.conf',
  /** archive_command and restore_command; pgBackRest wants to find its own name in the command. */
  archive: 'pgbackrest.sh',
  drill: 'drill.py',
  drillOrder: 'drill.json',
  /** Mount of the data volume; the database lies in a folder below, one for each major version. */
  data: '/pgdata',
  wal: '/pgwal',
  sockets: '/run/postgresql',
  /** In memory: what pgBackRest needs of Secrets, written by member.py. */
  backup: '/run/postgresql/backup',
  /** On the data volume, beside the database. */
  spool: MEMBER_PATHS.spool,
} as const;

/** File with the settings of one group of members. */
export function groupFileName(group: string): string {
  return `group-${group}.yml`;
}
