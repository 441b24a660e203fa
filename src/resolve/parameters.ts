import { GIB, MIB, parsePostgresSize, postgresSize } from '../quantity';

/** What the settings of postgresql.conf are derived from: the smallest member. */
export interface ParameterFacts {
  /** Major version of PostgreSQL. */
  readonly major: number;
  readonly memoryBytes: number;
  readonly cpus: number;
  /** Bytes of the volume that the write-ahead log lies on. */
  readonly walBytes: number;
  readonly members: number;
  /** None: nothing is archived. */
  readonly archiveTimeoutSeconds?: number;
}

/** Memory of Patroni and of PostgreSQL's own fixed processes: 65 to 80 MiB were measured on an idle member. */
const FIXED_BYTES = 96 * MIB;
/** A backend's own memory before any sort: about 5 to 10 MiB in a busy one, without shared pages. */
const BACKEND_BYTES = 5 * MIB;
const AUTOVACUUM_WORKERS = 3;
/** PostgreSQL refuses shared_buffers from 8 TiB on, and more than 1024 parallel workers. */
const MOST_BUFFERS = 8 * 1024 * GIB - GIB;
const MOST_CORES = 512;
/** max_slot_wal_keep_size ends at 2 PiB. */
const MOST_SLOT_WAL = 2 ** 50;

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** One connection for each 16 MiB, at least 30 and at most 500: beyond that a pooler serves better. */
function deriveMaxConnections(memoryBytes: number): number {
  return Math.floor(clamp(memoryBytes / (16 * MIB), 30, 500));
}

/** The share of memory where measurements of the PostgreSQL project's documentation stop to gain: a quarter. */
function deriveSharedBuffers(memoryBytes: number): number {
  return clamp(Math.floor(memoryBytes / 4 / MIB) * MIB, 32 * MIB, MOST_BUFFERS);
}

function deriveMaintenanceMemory(memoryBytes: number): number {
  return Math.floor(clamp(memoryBytes / 32, 8 * MIB, 2 * GIB) / MIB) * MIB;
}

interface MemoryShares {
  readonly sharedBuffers: number;
  readonly maintenanceMemory: number;
  readonly maxConnections: number;
  readonly workMemory: number;
  readonly autovacuumWorkers: number;
}

/** Bytes that PostgreSQL can need at once with these settings, when every connection sorts once. */
export function memoryNeed(shares: MemoryShares): number {
  return FIXED_BYTES + shares.sharedBuffers + shares.autovacuumWorkers * shares.maintenanceMemory
    + shares.maxConnections * (BACKEND_BYTES + shares.workMemory);
}

/** What is left for sorts, split over the connections; 1 MiB at least, since less makes every sort spill to disk. */
function deriveWorkMemory(memoryBytes: number, shares: Omit<MemoryShares, 'workMemory'>): number {
  const left = memoryBytes - memoryNeed({ ...shares, workMemory: 0 });
  return Math.floor(clamp(left / shares.maxConnections, MIB, 256 * MIB) / 1024) * 1024;
}

/** The user's own settings by lower-case name: PostgreSQL does not tell `Work_Mem` from `work_mem`. */
export function lowerNames(overrides: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(overrides).map(([name, value]) => [name.toLowerCase(), value]));
}

function bytesOf(overrides: Record<string, string>, name: string, bareUnit: number): number | undefined {
  const text = overrides[name];
  return text === undefined ? undefined : parsePostgresSize(text, bareUnit);
}

/** A number setting: what the user set, else the fallback. */
function countOf(overrides: Record<string, string>, name: string, fallback: number): number {
  const value = Number(overrides[name]);
  return overrides[name] !== undefined && Number.isFinite(value) ? value : fallback;
}

/** Memory shares with the user's own settings in place: what is derived adapts to what is given. */
export function memoryShares(facts: Pick<ParameterFacts, 'memoryBytes'>, overrides?: Record<string, string>): MemoryShares {
  const given = lowerNames(overrides);
  const fixed = {
    sharedBuffers: bytesOf(given, 'shared_buffers', 8192) ?? deriveSharedBuffers(facts.memoryBytes),
    maintenanceMemory: bytesOf(given, 'autovacuum_work_mem', 1024) ?? bytesOf(given, 'maintenance_work_mem', 1024)
      ?? deriveMaintenanceMemory(facts.memoryBytes),
    maxConnections: countOf(given, 'max_connections', deriveMaxConnections(facts.memoryBytes)),
    autovacuumWorkers: countOf(given, 'autovacuum_max_workers', AUTOVACUUM_WORKERS),
  };
  return { ...fixed, workMemory: bytesOf(given, 'work_mem', 1024) ?? deriveWorkMemory(facts.memoryBytes, fixed) };
}

function memorySettings(facts: ParameterFacts, overrides?: Record<string, string>): Record<string, string> {
  const shares = memoryShares(facts, overrides);
  return {
    shared_buffers: postgresSize(shares.sharedBuffers),
    effective_cache_size: postgresSize(Math.min(Math.floor((facts.memoryBytes * 3) / 4 / MIB) * MIB, MOST_BUFFERS)),
    work_mem: postgresSize(shares.workMemory),
    maintenance_work_mem: postgresSize(shares.maintenanceMemory),
    max_connections: String(shares.maxConnections),
  };
}

/**
 * Of pages in the log. Measured with pgbench and the archive: zstd makes two thirds of the log that pglz ("on")
 * makes, and 16 % more transactions; each byte of it is also sent to the standbys, archived and kept. PostgreSQL has it
 * since 15.
 */
function walCompression(major: number): string {
  return major >= 15 ? 'zstd' : 'on';
}

/** Write-ahead log: checkpoints in a tenth of its volume, slots never hold more than half of it. */
function walSettings({ walBytes, major }: ParameterFacts): Record<string, string> {
  const maxWal = Math.floor(clamp(walBytes / 10, 64 * MIB, 32 * GIB) / MIB) * MIB;
  return {
    max_wal_size: postgresSize(maxWal),
    min_wal_size: postgresSize(Math.max(32 * MIB, Math.floor(maxWal / 4 / MIB) * MIB)),
    max_slot_wal_keep_size: postgresSize(Math.floor(Math.min(walBytes / 2, MOST_SLOT_WAL) / MIB) * MIB),
    wal_keep_size: postgresSize(Math.floor(clamp(walBytes / 20, 32 * MIB, 2 * GIB) / MIB) * MIB),
    wal_compression: walCompression(major),
    wal_level: 'logical',
    checkpoint_completion_target: '0.9',
    checkpoint_timeout: '15min',
  };
}

function workerSettings(cpus: number): Record<string, string> {
  const cores = clamp(Math.ceil(cpus), 1, MOST_CORES);
  return {
    max_worker_processes: String(Math.max(8, cores * 2)),
    max_parallel_workers: String(cores),
    max_parallel_workers_per_gather: String(Math.floor(clamp(cores / 2, 0, 4))),
    autovacuum_max_workers: String(AUTOVACUUM_WORKERS),
  };
}

/** One sender and slot for each other member, and as many again for backups, a standby cluster and rebuilds. */
function replicationSettings(members: number): Record<string, string> {
  const senders = String(Math.max(10, members * 2));
  return {
    max_wal_senders: senders,
    max_replication_slots: senders,
    hot_standby: 'on',
    wal_log_hints: 'on',
    // A dead peer must not hold a commit or a slot for a minute (PostgreSQL's default): 10 s outlast a slow disk.
    wal_sender_timeout: '10s',
    // A standby that hears nothing from its primary for this long tells so, which is part of the agent's proof that a
    // node is lost. It asks the primary after half of it, so a quiet primary is not taken for a dead one.
    wal_receiver_timeout: '3s',
    // A standby looks again after a second, not after five: its primary may have changed.
    wal_retrieve_retry_interval: '1s',
    tcp_keepalives_idle: '30',
    tcp_keepalives_interval: '10',
    tcp_keepalives_count: '3',
  };
}

/** Each timeout sends a whole segment, so without an archive there is none. */
function archiveSettings(timeoutSeconds: number | undefined): Record<string, string> {
  return timeoutSeconds === undefined ? {} : { archive_timeout: `${timeoutSeconds}s` };
}

/** The same for every cluster. */
export const FIXED_SETTINGS: Readonly<Record<string, string>> = {
  password_encryption: 'scram-sha-256',
  shared_preload_libraries: 'pg_stat_statements',
  track_io_timing: 'on',
  log_checkpoints: 'on',
  log_lock_waits: 'on',
  log_temp_files: '10MB',
  log_autovacuum_min_duration: '1min',
  log_line_prefix: '%m [%p] %q%u@%d ',
  logging_collector: 'off',
  log_destination: 'stderr',
};

/** All settings of postgresql.conf: derived ones, then the user's own, by name. */
export function resolveParameters(facts: ParameterFacts, overrides?: Record<string, string>): Record<string, string> {
  const all: Record<string, string> = {
    ...FIXED_SETTINGS,
    ...memorySettings(facts, overrides),
    ...walSettings(facts),
    ...workerSettings(facts.cpus),
    ...replicationSettings(facts.members),
    ...archiveSettings(facts.archiveTimeoutSeconds),
    ...lowerNames(overrides),
  };
  return Object.fromEntries(Object.keys(all).sort().map((name) => [name, all[name]!]));
}
