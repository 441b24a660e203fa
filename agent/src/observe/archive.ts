/** Asks the primary about its archive. */
import { Buffer } from 'node:buffer';
import { MEMBER_PATHS } from '../../../src/contract/backup.js';
import { STANZA } from '../../../src/contract/document.js';
import type { MemberSql } from '../member-sql.js';
import { MUCH_BYTES, type ArchiveSample } from '../model/archive.js';
import type { SqlRow, SqlSession } from '../ports/sql.js';

const LIMIT_MS = 5_000;
const ERROR_BYTES = 8192;

/** Everything by its schema, since it runs as a superuser in a database where others may make objects. */
const PREPARE = "SET search_path = pg_catalog; SET statement_timeout = '4s'";

const QUERY = `SELECT pg_is_in_recovery() AS standby,
extract(epoch FROM clock_timestamp()) AS now,
current_setting('archive_mode') AS mode,
coalesce((pg_stat_file($1, true)).size, 0) > 0 AS configured,
archiver.last_archived_wal AS archived, extract(epoch FROM archiver.last_archived_time) AS archived_at,
archiver.last_failed_wal AS failed, extract(epoch FROM archiver.last_failed_time) AS failed_at,
archiver.failed_count AS failed_count, waiting.files, waiting.bytes,
(SELECT extract(epoch FROM modification) FROM pg_ls_waldir() WHERE name = left(archiver.last_archived_wal, 24)) AS written_at,
EXISTS (SELECT FROM pg_file_settings WHERE name = 'default_transaction_read_only' AND setting = 'on'
  AND sourcefile LIKE '%/postgresql.auto.conf') AS read_only
FROM pg_stat_archiver AS archiver, (
  SELECT count(*) AS files, coalesce(sum(wal.size), 0) AS bytes
  FROM pg_ls_archive_statusdir() AS status JOIN pg_ls_waldir() AS wal ON status.name = wal.name || '.ready'
) AS waiting`;

/** pgBackRest leaves one file for what concerns all segments, or one for each segment. */
const ERROR = `SELECT encode(coalesce(pg_read_binary_file($1, 0, ${ERROR_BYTES}, true), pg_read_binary_file($2, 0, ${ERROR_BYTES}, true)), 'base64') AS error`;

/**
 * SQL knows no function for the room on a volume. The table is gone with the transaction, which writes nothing that
 * a synchronous standby would have to confirm.
 */
const ROOM = [
  'BEGIN',
  'CREATE TEMPORARY TABLE everest_room (line text)',
  "COPY everest_room FROM PROGRAM 'df --output=avail,size --block-size=1 pg_wal/ | tail -n 1'",
  "SELECT words[1] AS free, words[2] AS size FROM (SELECT regexp_split_to_array(trim(line), ' +') AS words FROM everest_room) AS room",
  'ROLLBACK',
];

export type AskArchive = Pick<MemberSql, 'session'>;

const number = (value: unknown): number | undefined => (
  value === null || value === undefined ? undefined : Number(value)
);
const milliseconds = (value: unknown): number | undefined => {
  const seconds = number(value);
  return seconds === undefined ? undefined : Math.round(seconds * 1000);
};
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

type Room = Pick<ArchiveSample, 'freeBytes' | 'volumeBytes'>;
const NOT_LOOKED: Room = { freeBytes: undefined, volumeBytes: undefined };

async function room(session: SqlSession): Promise<Room> {
  let found = NOT_LOOKED;
  for (const statement of ROOM) {
    const [row] = await session.query(statement);
    if (row?.free !== undefined) found = { freeBytes: number(row.free), volumeBytes: number(row.size) };
  }
  return found;
}

async function errorOf(session: SqlSession, wal: string): Promise<string | undefined> {
  const folder = `${MEMBER_PATHS.spool}/archive/${STANZA}/out`;
  const [row] = await session.query(ERROR, [`${folder}/${wal}.error`, `${folder}/global.error`]);
  const encoded = text(row?.error);
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

/** Something beside the point must not hide the rest. */
async function orNothing<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch(() => undefined);
}

async function further(session: SqlSession, row: SqlRow): Promise<Room & Pick<ArchiveSample, 'error'>> {
  const failed = text(row.failed);
  const error = failed === undefined ? undefined : await orNothing(errorOf(session, failed));
  // Last, since a statement that fails in a transaction leaves the session in it.
  const isMuch = Number(row.bytes) >= MUCH_BYTES || row.read_only === true;
  return { error, ...(isMuch ? await orNothing(room(session)) : undefined) ?? NOT_LOOKED };
}

/** Undefined: that server is no primary. */
export function askArchive(sql: AskArchive, host: string): Promise<ArchiveSample | undefined> {
  return sql.session({ host }, LIMIT_MS, async (session) => {
    await session.query(PREPARE);
    const [row] = await session.query(QUERY, [MEMBER_PATHS.pgbackrest]);
    if (!row || row.standby !== false) return undefined;
    return {
      serverNow: milliseconds(row.now)!,
      configured: row.configured === true,
      enabled: row.mode !== 'off',
      lastArchivedWal: text(row.archived), lastArchivedAt: milliseconds(row.archived_at),
      lastFailedWal: text(row.failed), lastFailedAt: milliseconds(row.failed_at),
      failedCount: Number(row.failed_count),
      waitingFiles: Number(row.files), waitingBytes: Number(row.bytes),
      archivedUpTo: milliseconds(row.written_at),
      isReadOnly: row.read_only === true,
      ...await further(session, row),
    };
  });
}

/** Makes a WAL file full, so that the first one of a cluster arrives now and not when enough was written. */
export async function sendFirst(sql: AskArchive, host: string): Promise<void> {
  await sql.session({ host }, LIMIT_MS, async (session) => {
    await session.query(PREPARE);
    // Without the record there may be nothing to send.
    await session.query("SELECT pg_create_restore_point('everest-first-archive'), pg_switch_wal()");
  });
}
