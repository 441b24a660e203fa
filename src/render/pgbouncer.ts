import { POOLER_PORT, POSTGRES_PORT } from '../contract/ports';
import { type ResolvedPooler } from '../resolve/pooler';
import { AGENT_ROLE, POOLER_ROLE } from '../resolve/postgres';

/** Prepared statements that a server connection keeps for its clients; PgBouncer 1.21 or newer follows them itself. */
const PREPARED_STATEMENTS = 200;

/** PgBouncer's socket, for its liveness probe: its own user needs no password there. */
export const POOLER_SOCKETS = '/run/pgbouncer';

/** pgbouncer.ini of one pooler. */
export function renderPgbouncer(pooler: ResolvedPooler): string {
  const settings: Record<string, string | number> = {
    listen_addr: '*',
    listen_port: POOLER_PORT,
    unix_socket_dir: POOLER_SOCKETS,
    auth_type: 'scram-sha-256',
    auth_file: '/etc/pgbouncer/users/userlist.txt',
    auth_user: POOLER_ROLE,
    auth_dbname: 'postgres',
    auth_query: 'SELECT name, verifier FROM everest.pooler_lookup($1)',
    // The agent pauses clients while the primary changes.
    admin_users: AGENT_ROLE,
    pool_mode: pooler.poolMode,
    default_pool_size: pooler.poolSize,
    max_client_conn: pooler.maxClientConnections,
    max_prepared_statements: PREPARED_STATEMENTS,
    // Drivers send these at the start; none of them changes what a pooled connection means.
    ignore_startup_parameters: 'extra_float_digits,options',
    // After a refused connection PgBouncer turns clients away until one has worked, so it has to try again soon.
    server_login_retry: 0.2,
    server_connect_timeout: 3,
    server_check_delay: 1,
    dns_max_ttl: 5,
    // Connections to a server whose node has lost its power look alive: what it owes for 3 s, it will not answer.
    tcp_user_timeout: 3000,
    tcp_keepidle: 3,
    tcp_keepintvl: 1,
    tcp_keepcnt: 3,
    // Longer than a failover by Patroni alone (31 s) and than any pause: clients wait rather than fail.
    query_wait_timeout: 60,
    log_connections: 0,
    log_disconnections: 0,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return ['[databases]', `* = host=${pooler.host} port=${POSTGRES_PORT}`, '', '[pgbouncer]', ...lines, ''].join('\n');
}
