/** Ports of the processes in the Pods; the agent knocks at them, so they are contract. */

/** PostgreSQL. */
export const POSTGRES_PORT = 5432;
/** Patroni's REST API. */
export const PATRONI_PORT = 8008;
/** PgBouncer inside; its Service answers on PostgreSQL's own. */
export const POOLER_PORT = 6432;
/** The agent's health, readiness and metrics. */
export const AGENT_PORT = 8080;
