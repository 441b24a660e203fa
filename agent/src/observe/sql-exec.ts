/**
 * Commands in the primary by SQL, for the agent, which has no right to exec. What they print on standard output comes
 * when they have ended; standard error goes to the log of the server.
 */
import type { MemberSql } from '../member-sql.js';
import { literal } from '../model/sql-catalog.js';
import type { Exec, ExecCall, ExecEnd, ExecOptions } from '../ports/exec.js';
import { SqlError } from '../ports/sql.js';

/** The program ends by itself before the session does: the server waits for it without a limit. */
const PROGRAM_LIMIT_S = 60;
const LIMIT_MS = 70_000;

const inShell = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** As CSV with signs that no output has, so that each line arrives as it is. */
function statements(command: readonly string[]): string[] {
  // What is printed may end without the end of a line.
  const program = `timeout ${PROGRAM_LIMIT_S} ${command.map(inShell).join(' ')} 2> /dev/null; code=$?; echo; echo "ended $code"`;
  return [
    "SET search_path = pg_catalog; SET statement_timeout = '65s'; SET standard_conforming_strings = on",
    // Gone with the transaction, which writes nothing that a synchronous standby would have to confirm.
    'BEGIN',
    'CREATE TEMPORARY TABLE everest_said (line text)',
    `COPY everest_said FROM PROGRAM ${literal(program)} WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')`,
    'SELECT line FROM everest_said',
    'ROLLBACK',
  ];
}

export class SqlExec implements Exec {
  constructor(private readonly sql: Pick<MemberSql, 'session'>, private readonly host: string) {}

  async run({ command }: ExecCall, { line }: ExecOptions): Promise<ExecEnd> {
    try {
      const said = await this.sql.session({ host: this.host }, LIMIT_MS, async (session) => {
        let rows: ReadonlyArray<Readonly<Record<string, unknown>>> = [];
        for (const statement of statements(command)) {
          const answer = await session.query(statement);
          if (statement.startsWith('SELECT')) rows = answer;
        }
        return rows.map((row) => String(row.line ?? ''));
      });
      const [, code] = /^ended (\d+)$/.exec(said.at(-1) ?? '') ?? [];
      said.slice(0, -1).forEach((text) => line(text, 'out'));
      return code === undefined ? { exitCode: undefined, why: 'its end is not known' } : { exitCode: Number(code) };
    } catch (problem) {
      if (!(problem instanceof SqlError)) throw problem;
      return { exitCode: undefined, why: problem.message };
    }
  }
}
