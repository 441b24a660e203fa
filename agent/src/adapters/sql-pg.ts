/** SQL by `pg`. Sessions are short: nothing is held open at rest, and a member that restarts breaks none. */
import { Client } from 'pg';
import { SqlError, type Sql, type SqlRow, type SqlSession, type SqlTarget } from '../ports/sql.js';

function sqlError(target: SqlTarget, problem: unknown): SqlError {
  const { code, message } = problem as { code?: string; message: string };
  // SQLSTATEs have five characters; Node's own codes (ECONNREFUSED) are no answer of a server.
  const state = code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
  return new SqlError(`${target.host}:${target.port}/${target.database}`, state, message, { cause: problem });
}

/** Node's own timers: what a frozen server leaves open must end, whatever the server does. */
function within<T>(limitMs: number, client: Client, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // The socket, since a goodbye to a frozen server would wait as well.
      (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
      reject(new Error(`no answer within ${limitMs} ms`));
    }, limitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

export class SqlByPg implements Sql {
  async session<T>(target: SqlTarget, limitMs: number, work: (session: SqlSession) => Promise<T>): Promise<T> {
    // What the agent writes is little, and must work where clients may not write.
    const options = '-c default_transaction_read_only=off';
    const client = new Client({ ...target, options, application_name: 'everest-agent', connectionTimeoutMillis: limitMs });
    // Without a listener a connection that breaks between two statements would end the process.
    client.on('error', () => undefined);
    const session: SqlSession = {
      query: async (text, values) => rowsOf(await client.query(text, values && [...values])),
    };
    try {
      return await within(limitMs, client, client.connect().then(() => work(session)));
    } catch (problem) {
      if (problem instanceof SqlError) throw problem;
      throw sqlError(target, problem);
    } finally {
      void client.end().catch(() => undefined);
    }
  }
}

/** Several statements in one text give a list of results; the last one counts. */
function rowsOf(result: { rows: SqlRow[] } | Array<{ rows: SqlRow[] }>): readonly SqlRow[] {
  return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
}
