/** Ports of the processes in the Pods; the agent knocks at them, so they are contract. */

/** PostgreSQL. */
export const POSTGRES_PORT = 5432;
/** Patroni's REST API. */
export const PATRONI_PORT = 8008;
/** PgBouncer inside; its Service answers on PostgreSQL's own. */
export const POOLER_PORT = 6432;
/** MariaDB and Percona XtraDB Cluster. */
export const MYSQL_PORT = 3306;
/** HAProxy's way to readers; its Service `-ro` answers on MySQL's own. */
export const PROXY_READ_PORT = 3307;
/** HAProxy's own health and metrics. */
export const PROXY_HEALTH_PORT = 8404;
/** A copy of all data to a joiner (SST). */
export const GALERA_COPY_PORT = 4444;
/** The changes that a joiner lacks (IST). */
export const GALERA_CHANGES_PORT = 4568;
/** Galera's group communication. */
export const GALERA_GROUP_PORT = 4567;
/** What a member of a Galera cluster tells and does on request. */
export const GALERA_MEMBER_PORT = 9200;
/** The agent's health, readiness and metrics. */
export const AGENT_PORT = 8080;
