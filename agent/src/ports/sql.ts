/** SQL over the network: to members, and to PgBouncer's console. */

export interface SqlTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

export type SqlRow = Readonly<Record<string, unknown>>;

export interface SqlSession {
  /** With values: one statement. Without: also several, as PgBouncer's console wants it. */
  query(text: string, values?: readonly unknown[]): Promise<readonly SqlRow[]>;
}

/** What the server answered instead of doing it. Without `code`: no answer, or none in time. */
export class SqlError extends Error {
  constructor(
    readonly target: string,
    /** SQLSTATE. */
    readonly code: string | undefined,
    detail: string,
    options: ErrorOptions = {},
  ) {
    super(`${target}: ${code ? `${code} ` : ''}${detail}`, options);
    this.name = 'SqlError';
  }

  /** The server knows another password for the role, or does not know the role. */
  get loginRefused(): boolean {
    return this.code === '28P01' || this.code === '28000';
  }
}

export interface Sql {
  /** Opens a session, works, closes it. The limit holds for the whole of it. */
  session<T>(target: SqlTarget, limitMs: number, work: (session: SqlSession) => Promise<T>): Promise<T>;
}
