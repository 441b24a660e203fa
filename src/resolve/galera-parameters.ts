import type { GaleraEngine } from '../contract/galera';
import { GIB, MIB } from '../quantity';
import { lowerNames } from './parameters';

/** What the settings of my.cnf are derived from. */
export interface GaleraFacts {
  readonly engine: GaleraEngine;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly volumeBytes: number;
  readonly maintenanceSeconds: number;
}

const BUFFER_CHUNK = 128 * MIB;

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** Sizes as my.cnf writes them. */
function size(bytes: number): string {
  return bytes % GIB === 0 ? `${bytes / GIB}G` : `${Math.floor(bytes / MIB)}M`;
}

/** Bytes of a size in my.cnf. */
export function parseMysqlSize(text: string): number | undefined {
  const match = /^(\d+)([KMGT]?)$/i.exec(text.trim());
  return match ? Number(match[1]) * 1024 ** ['', 'K', 'M', 'G', 'T'].indexOf(match[2]!.toUpperCase()) : undefined;
}

/**
 * Three quarters of the memory where a gibibyte stays for connections, the write-set queue and the copy to a joiner;
 * of small memories a third. In chunks of 128 MiB, as InnoDB would round it up.
 */
function bufferPool(memoryBytes: number): number {
  const bytes = Math.max(memoryBytes * 0.35, Math.min(memoryBytes * 0.75, memoryBytes - GIB));
  return Math.max(BUFFER_CHUNK, Math.floor(bytes / BUFFER_CHUNK) * BUFFER_CHUNK);
}

/** A connection for each 16 MiB, at least 50 and at most 1000. */
function connections(memoryBytes: number): number {
  return Math.floor(clamp(memoryBytes / (16 * MIB), 50, 1000));
}

/** Server, caches and provider without connections and pool: 190 MiB were measured on an idle member of 11.8. */
const FIXED_BYTES = 192 * MIB;
/** A connection's thread and buffers, without large sorts. */
const CONNECTION_BYTES = MIB;

/** Bytes that a server can need with these settings. */
export function galeraMemoryNeed(settings: Record<string, string>): number {
  return FIXED_BYTES + (parseMysqlSize(settings.innodb_buffer_pool_size ?? '') ?? 0)
    + Number(settings.max_connections) * CONNECTION_BYTES;
}

/** With less, a busy server would write out its pool all the time; MySQL takes no less than 8 MiB. */
const LEAST_REDO = 100 * MIB;

/** Redo log: a quarter of the pool, at most a twentieth of the volume. */
function redoLog({ engine, volumeBytes }: GaleraFacts, pool: number): Record<string, string> {
  const most = Math.max(LEAST_REDO, Math.min(4 * GIB, volumeBytes / 20));
  const bytes = Math.floor(clamp(pool / 4, LEAST_REDO, most) / MIB) * MIB;
  return { [engine === 'mariadb' ? 'innodb_log_file_size' : 'innodb_redo_log_capacity']: size(bytes) };
}

/** What differs between the two servers. */
function engineSettings({ engine, cpus }: GaleraFacts): Record<string, string> {
  const appliers = String(Math.max(2, Math.ceil(cpus) * 2));
  if (engine === 'mariadb') {
    return {
      wsrep_provider: '/usr/lib/galera/libgalera_smm.so', wsrep_sst_method: 'mariabackup', wsrep_slave_threads: appliers,
      wsrep_gtid_mode: 'ON', wsrep_gtid_domain_id: '1', log_slave_updates: 'ON',
    };
  }
  return {
    wsrep_provider: '/usr/lib64/galera4/libgalera_smm.so', wsrep_sst_method: 'xtrabackup-v2',
    wsrep_applier_threads: appliers, log_replica_updates: 'ON', gtid_mode: 'ON', enforce_gtid_consistency: 'ON',
    pxc_encrypt_cluster_traffic: 'ON', pxc_strict_mode: 'ENFORCING', mysqlx: 'OFF',
  };
}

/** Settings of [mysqld]: derived ones, then the user's own, by name. */
export function galeraParameters(facts: GaleraFacts, overrides?: Record<string, string>): Record<string, string> {
  const pool = bufferPool(facts.memoryBytes);
  const all: Record<string, string> = {
    binlog_format: 'ROW',
    log_bin: 'binlog',
    sync_binlog: '1',
    // One for the whole group: GTIDs name it, and write sets come from the group.
    server_id: '1',
    default_storage_engine: 'InnoDB',
    innodb_autoinc_lock_mode: '2',
    // A member's position after a crash is only as good as its last flush.
    innodb_flush_log_at_trx_commit: '1',
    innodb_buffer_pool_size: size(pool),
    max_connections: String(connections(facts.memoryBytes)),
    binlog_expire_logs_seconds: '86400',
    max_binlog_size: '128M',
    skip_name_resolve: 'ON',
    character_set_server: 'utf8mb4',
    wsrep_on: 'ON',
    ...redoLog(facts, pool),
    ...engineSettings(facts),
    ...lowerNames(overrides),
  };
  return Object.fromEntries(Object.keys(all).sort().map((name) => [name, all[name]!]));
}

/** Write rate that the cache is sized for. */
const BYTES_PER_SECOND = MIB;

/**
 * Options of the Galera library. The timings are those measured: a dead member stalls the writers for 2.6 s instead of
 * 6.3 s. While a group forms anew nobody writes, and its members speak only at these periods: at Galera's 1 s a member
 * that joins or leaves stalled the writers for 1.0 to 5.2 s, at 0.1 s for 0.2 to 0.6 s. The limit of flow
 * control is the default of Percona XtraDB Cluster, six times Galera's: a member that has just come back may lag that
 * far before the writers wait for it. pc.recovery is off since it can wedge; members recover by what they tell each
 * other.
 */
export function galeraProviderOptions({ maintenanceSeconds, volumeBytes }: GaleraFacts): Record<string, string> {
  const cache = clamp(maintenanceSeconds * BYTES_PER_SECOND, 128 * MIB, Math.max(128 * MIB, volumeBytes / 5));
  return {
    'gcache.size': size(Math.floor(cache / MIB) * MIB),
    'gcache.recover': 'yes',
    'gcs.fc_limit': '100',
    'pc.recovery': 'false',
    'evs.keepalive_period': 'PT0.1S',
    'evs.inactive_check_period': 'PT0.25S',
    'evs.suspect_timeout': 'PT1.5S',
    'evs.inactive_timeout': 'PT4S',
    'evs.install_timeout': 'PT3S',
    'evs.join_retrans_period': 'PT0.1S',
  };
}
