/** Asks the primary whether new values of parameters are in force. */
import type { Log } from '../log.js';
import type { MemberSql } from '../member-sql.js';
import type { Maybe } from '../model/facts.js';
import type { OperationsMemory, OperationsSnapshot, Refusal } from '../model/operations.js';
import type { Clock } from '../ports/clock.js';

const LIMIT_MS = 3000;
/** On top of a round of Patroni, which writes the file and has it read. */
const MARGIN_MS = 5000;

/** What needs a restart is told by Patroni, and what stands on the command line is not in the file. */
const QUERY = `SELECT wanted.name AS parameter, coalesce(file.error, 'Patroni leaves it out of postgresql.conf') AS error
FROM unnest($1::text[]) AS wanted(name)
LEFT JOIN pg_file_settings AS file ON lower(file.name) = wanted.name
LEFT JOIN pg_settings AS setting ON lower(setting.name) = wanted.name
WHERE (file.error IS NOT NULL OR file.name IS NULL)
AND coalesce(setting.context, '') NOT IN ('postmaster', 'internal') AND coalesce(setting.source, '') <> 'command line'`;

export interface Asking {
  readonly sql: Pick<MemberSql, 'session'>;
  readonly clock: Clock;
  readonly log: Log;
}

function primaryIn({ leader, pods }: OperationsSnapshot): string | undefined {
  if (leader === 'unknown' || pods === 'unknown') return undefined;
  return pods.find((pod) => pod.name === leader.pod)?.ip;
}

export async function askRefusals(
  asking: Asking, snapshot: OperationsSnapshot, memory: OperationsMemory,
): Promise<Maybe<readonly Refusal[]>> {
  const { parameters } = snapshot.contract.patroni.postgresql;
  const names = Object.keys(memory.before ?? {}).filter((name) => name in parameters);
  if (names.length === 0) return [];
  const { loop_wait: round } = snapshot.contract.patroni;
  const sinceMs = asking.clock.nowMs() - (memory.patchedAtMs ?? Infinity);
  if (sinceMs < round * 1000 + MARGIN_MS) return 'unknown';
  const host = primaryIn(snapshot);
  if (host === undefined) return 'unknown';
  try {
    const rows = await asking.sql.session({ host }, LIMIT_MS, (session) => session.query(QUERY, [names]));
    return rows.map(({ parameter, error }) => ({ parameter: String(parameter), error: String(error) }));
  } catch (problem) {
    asking.log.warn('new parameters could not be checked', { problem: String(problem) });
    return 'unknown';
  }
}
