/** Asks the primary whether new values of parameters are in force. */
import type { Hands } from '../execute/executor.js';
import type { Maybe } from '../model/facts.js';
import type { OperationsMemory, OperationsSnapshot, Refusal } from '../model/operations.js';
import { podFacts } from '../model/objects.js';

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

export async function askRefusals(
  hands: Hands, snapshot: OperationsSnapshot, memory: OperationsMemory,
): Promise<Maybe<readonly Refusal[]>> {
  const { parameters } = snapshot.contract.patroni.postgresql;
  const names = Object.keys(memory.before ?? {}).filter((name) => name in parameters);
  if (names.length === 0) return [];
  const { loop_wait: round } = snapshot.contract.patroni;
  if (memory.patchedAtMs === undefined || hands.clock.nowMs() - memory.patchedAtMs < round * 1000 + MARGIN_MS) return 'unknown';
  const leader = snapshot.leader === 'unknown' ? undefined : snapshot.leader.pod;
  const host = hands.pods(snapshot.cluster).map(podFacts).find((pod) => pod.name === leader)?.ip;
  if (host === undefined) return 'unknown';
  try {
    const rows = await hands.sql.session({ host }, LIMIT_MS, (session) => session.query(QUERY, [names]));
    return rows.map(({ parameter, error }) => ({ parameter: String(parameter), error: String(error) }));
  } catch (problem) {
    hands.log.warn('new parameters could not be checked', { problem: String(problem) });
    return 'unknown';
  }
}
