/**
 * Transactions of a server begin read-only, or are allowed to write again. By its own configuration file, which needs
 * neither a write to the database nor Patroni; sessions may still ask for writes by name, as the agent does.
 */
import type { MemberSql } from '../member-sql.js';

const LIMIT_MS = 5_000;
/** A checkpoint writes what the memory holds. */
const CHECKPOINT_LIMIT_MS = 120_000;

type Asks = Pick<MemberSql, 'session'>;

export async function stopWrites(sql: Asks, host: string): Promise<void> {
  await sql.session({ host }, LIMIT_MS, async (session) => {
    await session.query("ALTER SYSTEM SET default_transaction_read_only = 'on'");
    await session.query('SELECT pg_catalog.pg_reload_conf()');
  });
}

export async function allowWrites(sql: Asks, host: string): Promise<void> {
  await sql.session({ host }, LIMIT_MS, async (session) => {
    await session.query('ALTER SYSTEM RESET default_transaction_read_only');
    await session.query('SELECT pg_catalog.pg_reload_conf()');
  });
}

/** What has been archived makes room only then, and without writes there would be no checkpoint. */
export async function makeRoom(sql: Asks, host: string): Promise<void> {
  await sql.session({ host }, CHECKPOINT_LIMIT_MS, async (session) => {
    await session.query('CHECKPOINT');
  });
}
