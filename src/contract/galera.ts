import type { DeclaredDatabase, DeclaredRole } from './declared-sql';
import type { AgentLogin, ContractMember } from './document';

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
}

/** Keys of the ConfigMap `<cluster>-galera`, which stands in Git without data and is filled by the agent. */
export const GALERA_RECORD_KEY = {
  /** Every bootstrap and promotion there was, and what each member was told to do with its data. */
  history: 'history.json',
  /** Pod of the member that takes writes. */
  writer: 'writer',
} as const;
