import { suggestion } from '../closest';
import { MIB, parseQuantity, readableBytes } from '../quantity';
import type { GaleraRule, Violation } from './rule';
import { mariaDbSettings } from '../render/mariadb-settings';
import { galeraFacts } from '../resolve/galera';
import { galeraMemoryNeed, galeraParameters, parseMysqlSize } from '../resolve/galera-parameters';

const NAME = /^[a-z][a-z0-9_]*$/;
/** Settings of Galera that are a matter of taste; all others of wsrep_ are the cluster's. */
const OPEN = new Set(['wsrep_slave_threads', 'wsrep_applier_threads', 'wsrep_retry_autocommit', 'wsrep_max_ws_size', 'wsrep_max_ws_rows',
  'wsrep_trx_fragment_size', 'wsrep_trx_fragment_unit', 'wsrep_sync_wait', 'wsrep_mode', 'wsrep_osu_method', 'wsrep_debug',
  'wsrep_certification_rules', 'wsrep_log_conflicts', 'wsrep_ignore_apply_errors']);
/** Settings with one right value under Galera, and what another one does. */
const BREAKING: Readonly<Record<string, string>> = {
  binlog_format: 'Galera replicates rows; with statements members come to differ',
  innodb_autoinc_lock_mode: 'With another value than 2, writes from several members lock each other out',
  default_storage_engine: 'Galera replicates InnoDB only; rows of other engines stay on one member',
  default_tmp_storage_engine: 'Galera replicates InnoDB only; rows of other engines stay on one member',
  enforce_storage_engine: 'Galera replicates InnoDB only; rows of other engines stay on one member',
  log_bin: 'Point-in-time recovery and members with the same GTIDs need it',
  log_slave_updates: 'Every member\'s binary log must hold what the group wrote',
  log_replica_updates: 'Every member\'s binary log must hold what the group wrote',
  server_id: 'It is one for the whole group, as GTIDs need it',
  gtid_domain_id: 'Each member has its own',
  gtid_mode: 'Point-in-time recovery needs it',
  enforce_gtid_consistency: 'Point-in-time recovery needs it',
  innodb_force_recovery: 'A member that starts with it serves damaged data to the group',
  skip_grant_tables: 'Everybody could log in without a password',
  read_only: 'The writer could not write; HAProxy and the group decide who takes writes',
  super_read_only: 'The writer could not write; HAProxy and the group decide who takes writes',
  innodb_read_only: 'Joiners could not apply what the group wrote',
};
const LAYOUT = new Set(['datadir', 'tmpdir', 'socket', 'port', 'bind_address', 'pid_file', 'user', 'basedir', 'log_error', 'init_file',
  'skip_networking', 'plugin_dir', 'ssl_ca', 'ssl_cert', 'ssl_key', 'skip_name_resolve', 'innodb_data_home_dir', 'innodb_log_group_home_dir',
  'pxc_encrypt_cluster_traffic', 'early_plugin_load']);

function ownerOf(name: string): string | undefined {
  if (Object.hasOwn(BREAKING, name)) return BREAKING[name];
  if (LAYOUT.has(name)) return 'The layout of the Pod decides it';
  return name.startsWith('wsrep_') && !OPEN.has(name) ? 'The cluster itself decides it; the write-set cache follows maintenanceWindow' : undefined;
}

export const galeraParameterOwned: GaleraRule = {
  code: 'EV2101',
  title: 'A setting that would break Galera, or that the cluster itself decides',
  cause: 'parameters sets something that has one right value under Galera, or that the Pod\'s layout, the group or another prop decides.',
  consequence: 'Members would come to hold different data, or would not find each other',
  fix: 'Leave it out',
  check: ({ props }) => Object.keys(props.parameters ?? {}).flatMap((name) => {
    const reason = ownerOf(name.toLowerCase());
    return reason === undefined ? [] : [{ path: ['parameters', name], problem: `${name} is not yours to set`, consequence: reason }];
  }),
};

function unknown(name: string, names: string[], mariadb: boolean): Omit<Violation, 'path'> | undefined {
  if (!NAME.test(name)) return { problem: `${JSON.stringify(name)} is not a name of a setting`, fix: 'Write it in lower case with "_"' };
  if (names.filter((other) => other === name).length > 1) return { problem: `${name} stands twice` };
  if (!mariadb || mariaDbSettings().has(name)) return undefined;
  return { problem: `MariaDB has no setting ${name}${suggestion(name, mariaDbSettings().keys())}` };
}

export const galeraParameterKnown: GaleraRule = {
  code: 'EV2102',
  title: 'A setting that the server does not know',
  cause: 'A name in parameters is not a setting of MariaDB 11.8, or is written with other characters than a-z, 0-9 and "_". Names for Percona XtraDB Cluster are only checked for their spelling.',
  consequence: 'The server would not start with it',
  fix: 'Correct the name',
  check: ({ props, engine }) => {
    const names = Object.keys(props.parameters ?? {});
    return names.flatMap((name) => {
      const problem = unknown(name, names, engine === 'mariadb');
      return problem ? [{ path: ['parameters', name], ...problem }] : [];
    });
  },
};

function valueProblem(name: string, value: string): string | undefined {
  if (/[\n\r\0]/.test(value)) return 'holds a line break';
  if (name === 'innodb_buffer_pool_size' && (parseMysqlSize(value) ?? 0) < 64 * MIB) return 'is not a size of 64M or more, such as 2G';
  if (name === 'max_connections' && !(Number.isInteger(Number(value)) && Number(value) >= 10)) return 'is not a whole number from 10 on';
  return undefined;
}

export const galeraParameterValue: GaleraRule = {
  code: 'EV2103',
  title: 'A value that the server would refuse',
  cause: 'A value in parameters holds a line break, or innodb_buffer_pool_size or max_connections is no amount.',
  consequence: 'The server would not start with it',
  fix: 'Correct the value',
  check: ({ props }) => Object.entries(props.parameters ?? {}).flatMap(([name, value]) => {
    const problem = valueProblem(name, value);
    return problem ? [{ path: ['parameters', name], problem: `${JSON.stringify(value)} ${problem}` }] : [];
  }),
};

export const galeraMemory: GaleraRule = {
  code: 'EV2104',
  title: 'Memory settings that cannot fit the limit',
  cause: 'The buffer pool, 1 MiB for each connection and 192 MiB for the server itself add up to more than the memory limit.',
  consequence: 'Under load the kernel would kill the server, and each kill stalls all writers of the group',
  fix: 'Raise resources.limits.memory, or lower innodb_buffer_pool_size or max_connections',
  check: (input) => {
    const { group, props } = input;
    const limit = parseQuantity(group.resources.limits.memory);
    if (limit === undefined) return [];
    const settings = galeraParameters(galeraFacts(input, group), props.parameters);
    const need = galeraMemoryNeed(settings);
    if (!(need > limit)) return [];
    return [{
      path: props.parameters ? ['parameters'] : ['resources'],
      problem: `innodb_buffer_pool_size ${settings.innodb_buffer_pool_size}, ${settings.max_connections} connections and the rest need ${readableBytes(need)}; `
        + `the limit is ${readableBytes(limit)}`,
    }];
  },
};
