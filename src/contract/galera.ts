import type { DeclaredDatabase, DeclaredRole } from './declared-sql';
import type { AgentLogin, ContractBackup, ContractMember } from './document';

/** Engines whose members replicate by Galera. */
export type GaleraEngine = 'mariadb' | 'percona-xtradb-cluster';

/** The contract of a Galera cluster; it travels as that of a PostgreSQL cluster does. */
export interface GaleraContract {
  readonly contractVersion: number;
  readonly engine: GaleraEngine;
  readonly cluster: string;
  readonly namespace: string;
  readonly engineVersion: string;
  /** Those that are `promotable` may become the writer. */
  readonly members: ContractMember[];
  /** Whose key holds the token for requests that change a member. */
  readonly agentLogin: AgentLogin;
  readonly databases: DeclaredDatabase[];
  /** Owners included. */
  readonly roles: DeclaredRole[];
  /** None: nothing is archived. */
  readonly backup?: Omit<ContractBackup, 'stanza'>;
}

/** Container of a member in which its scripts run. */
export const GALERA_CONTAINER = { 'mariadb': 'mariadb', 'percona-xtradb-cluster': 'member' } as const;

/** Key of the ConfigMap `<cluster>-bootstraps`. */
export const GALERA_RECORD_KEY = { history: 'history.json' } as const;

/** Key of the members' Secret: it signs requests that change something (HMAC-SHA256). */
export const GALERA_API_KEY = 'api';
