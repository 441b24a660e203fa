/**
 * SQL to the members of one cluster, as the agent's own role. The password comes from the cluster's Secret; it is kept,
 * since a failover must not wait for the API, and read again when a server refuses it.
 */
import { Buffer } from 'node:buffer';
import type { Kube } from './ports/kube.js';
import { SqlError, type Sql, type SqlSession } from './ports/sql.js';
import type { AgentLogin } from '../../src/contract/document.js';
import { POSTGRES_PORT } from '../../src/contract/ports.js';

/** A member, or whatever speaks its protocol there. */
export interface SqlPlace {
  readonly host: string;
  readonly port?: number;
  /** Default: `postgres`. */
  readonly database?: string;
}

export class MemberSql {
  private password: { readonly of: string; readonly value: string } | undefined;

  constructor(
    private readonly ports: { readonly kube: Kube; readonly sql: Sql },
    private readonly login: () => AgentLogin | undefined,
  ) {}

  /** Reads the password now, so that it is there when it is needed. */
  async prepare(): Promise<void> {
    await this.passwordOf(this.known());
  }

  async session<T>(place: SqlPlace, limitMs: number, work: (session: SqlSession) => Promise<T>): Promise<T> {
    const login = this.known();
    const attempt = async () => this.ports.sql.session(
      { port: POSTGRES_PORT, database: 'postgres', ...place, user: login.role, password: await this.passwordOf(login) }, limitMs, work,
    );
    try {
      return await attempt();
    } catch (problem) {
      if (!(problem instanceof SqlError && problem.loginRefused)) throw problem;
      this.password = undefined;
      return attempt();
    }
  }

  private known(): AgentLogin {
    const login = this.login();
    if (!login) throw new SqlError('contract', undefined, 'the contract is not readable, so the login is not known');
    return login;
  }

  private async passwordOf({ secret, key }: AgentLogin): Promise<string> {
    const of = `${secret}/${key}`;
    if (this.password?.of === of) return this.password.value;
    const data = (await this.ports.kube.get('secrets', secret) as { data?: Record<string, string> }).data ?? {};
    if (!data[key]) throw new SqlError(`Secret ${secret}`, undefined, `it has no value for key ${key}; add it`);
    const value = Buffer.from(data[key], 'base64').toString('utf8');
    this.password = { of, value };
    return value;
  }
}
