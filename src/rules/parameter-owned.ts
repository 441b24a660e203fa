import type { PostgresRule } from './rule';

/** Settings that Patroni or the layout of the Pod decides, and who decides each. */
const OWNED: Readonly<Record<string, string>> = {
  archive_cleanup_command: 'Patroni',
  archive_command: 'the backup configuration',
  archive_timeout: 'backup.archiveTimeout',
  archive_mode: 'the backup configuration',
  archive_library: 'the backup configuration',
  cluster_name: 'Patroni',
  config_file: 'Patroni',
  data_directory: 'the volume layout',
  external_pid_file: 'the volume layout',
  hba_file: 'pgHba',
  hot_standby: 'Patroni',
  ident_file: 'Patroni',
  listen_addresses: 'the Services',
  port: 'the Services',
  primary_conninfo: 'Patroni',
  primary_slot_name: 'Patroni',
  promote_trigger_file: 'Patroni',
  recovery_target: 'recovery',
  recovery_target_action: 'recovery',
  recovery_target_inclusive: 'recovery',
  recovery_target_lsn: 'recovery',
  recovery_target_name: 'recovery',
  recovery_target_time: 'recovery',
  recovery_target_timeline: 'recovery',
  recovery_target_xid: 'recovery',
  restart_after_crash: 'Patroni',
  restore_command: 'the backup configuration',
  synchronous_standby_names: 'replication',
  unix_socket_directories: 'the volume layout',
  unix_socket_group: 'the volume layout',
  unix_socket_permissions: 'the volume layout',
  wal_log_hints: 'Patroni',
};

export const parameterOwned: PostgresRule = {
  code: 'EV1301',
  title: 'A setting that is not the user\'s to set',
  cause: 'parameters sets something that Patroni, the volumes, the Services or another prop decides.',
  consequence: 'Patroni would overwrite it, or members would not find each other',
  fix: 'Leave it out',
  check: ({ props }) => Object.keys(props.parameters ?? {}).filter((name) => Object.hasOwn(OWNED, name.toLowerCase()))
    .map((name) => ({
      path: ['parameters', name],
      problem: `${name} is decided by ${OWNED[name.toLowerCase()]}`,
    })),
};
