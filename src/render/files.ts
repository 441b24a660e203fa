/** Places inside a member's container, and the files of the ConfigMap that lie there. */
export const FILES = {
  /** The ConfigMap's mount. */
  folder: '/etc/everest',
  script: 'member.py',
  member: 'cluster.json',
  patroni: 'patroni.yml',
  /** Mount of the data volume; the database lies in a folder below, one for each major version. */
  data: '/pgdata',
  wal: '/pgwal',
  sockets: '/run/postgresql',
} as const;

/** File with the settings of one group of members. */
export function groupFileName(group: string): string {
  return `group-${group}.yml`;
}
