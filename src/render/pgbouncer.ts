import { POOLER_PORT, POSTGRES_PORT } from '../contract/ports';
import { type ResolvedPooler } from '../resolve/pooler';
import { POOLER_ROLE } from '../resolve/postgres';

/** Prepared statements that a server connection keeps for its clients; PgBouncer 1.21 or newer follows them itself. */
const PREPARED_STATEMENTS = 200;

/** pgbouncer.ini of one pooler. */
export function renderPgbouncer(pooler: ResolvedPooler): string {
  const settings: Record<string, string | number> = {
    listen_addr: '*',
    listen_port: POOLER_PORT,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: '/etc/pgbouncer/users/userlist.txt',
    auth_user: POOLER_ROLE,
    auth_dbname: 'postgres',
    auth_query: 'SELECT name, verifier FROM everest.pooler_lookup($1)',
    admin_users: POOLER_ROLE,
    pool_mode: pooler.poolMode,
    default_pool_size: pooler.poolSize,
    max_client_conn: pooler.maxClientConnections,
    max_prepared_statements: PREPARED_STATEMENTS,
    // Drivers send these at the start; none of them changes what a pooled connection means.
    ignore_startup_parameters: 'extra_float_digits,options',
    // A switchover must be noticed at once, not when a query runs into the old primary.
    server_login_retry: 1,
    server_connect_timeout: 3,
    server_check_delay: 1,
    dns_max_ttl: 5,
    query_wait_timeout: 60,
    log_connections: 0,
    log_disconnections: 0,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return ['[databases]', `* = host=${pooler.host} port=${POSTGRES_PORT}`, '', '[pgbouncer]', ...lines, ''].join('\n');
}
