/**
 * Asks the synchronous standbys by SQL whether anything could still bring them back to a primary that is fenced off:
 * a receiver, one that is about to start, or an address in the files from which the server would start again. A session
 * of its own for each look: its settings are those of the postmaster, which tells its children before it opens it.
 */
import type { Hands } from './executor.js';
import { syncName } from '../../../src/contract/names.js';
import type { SyncFacts } from '../model/facts.js';
import { podFacts, syncFacts } from '../model/objects.js';
import { SqlError } from '../ports/sql.js';

/** A standby that runs answers within some 20 ms; one that does not must not hold up the look at the others. */
const ASK_LIMIT_MS = 300;

const QUESTION = `SELECT pg_is_in_recovery() AND current_setting('primary_conninfo') = ''
  AND NOT EXISTS (SELECT FROM pg_file_settings WHERE name = 'primary_conninfo' AND setting <> '')
  AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'walreceiver') AS free`;

export interface Ballot {
  readonly sync: SyncFacts;
  /** How many must have let go, so that no set that can confirm is left to the old primary. */
  readonly needed: number;
  readonly heard: number;
  readonly free: number;
  /** Why the last of those that were not heard did not answer. */
  readonly problem: string | undefined;
}

type Answer = { readonly free: boolean } | { readonly problem: string };

async function ask(hands: Hands, host: string): Promise<Answer> {
  try {
    const [row] = await hands.sql.session({ host }, ASK_LIMIT_MS, (session) => session.query(QUESTION));
    return { free: row?.free === true };
  } catch (problem) {
    // A right that is missing is no matter of this standby.
    if (!(problem instanceof SqlError)) throw problem;
    return { problem: problem.message };
  }
}

export async function askVoters(hands: Hands, cluster: string): Promise<Ballot> {
  const sync = syncFacts(await hands.kube.get('configmaps', syncName(cluster)));
  const hosts = hands.pods(cluster).map(podFacts)
    .flatMap(({ name, ip }) => (ip !== undefined && sync.standbys.includes(name) ? [ip] : []));
  const answers = await Promise.all(hosts.map((host) => ask(hands, host)));
  const problems = answers.flatMap((answer) => ('problem' in answer ? [answer.problem] : []));
  return {
    sync,
    needed: sync.quorum + 1,
    heard: answers.length - problems.length,
    free: answers.filter((answer) => 'free' in answer && answer.free).length,
    problem: problems.at(-1),
  };
}
