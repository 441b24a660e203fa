/**
 * Asks the synchronous standbys by SQL whether anything could still bring them back to a primary that is fenced off:
 * a receiver, one that is about to start, or an address in the files from which the server would start again. A session
 * of its own each time: its settings are those of the postmaster, which tells its children before it opens it.
 */
import type { Hands } from './executor.js';
import { syncName } from '../../../src/contract/names.js';
import type { SyncFacts } from '../model/facts.js';
import { podFacts, syncFacts } from '../model/objects.js';
import { SqlError, type SqlSession } from '../ports/sql.js';

/** A standby that runs answers within some 20 ms; one that does not must not hold up the look at the others. */
const ASK_LIMIT_MS = 300;

/**
 * Patroni may be in the middle of a round that it began before it heard of the fence, at the end of which it goes back
 * to the old primary once more. A round takes some 10 ms to its end, so a second look sees it.
 */
const STEADY_MS = 40;

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

async function isFree(session: SqlSession): Promise<boolean> {
  return (await session.query(QUESTION))[0]?.free === true;
}

async function ask(hands: Hands, host: string): Promise<Answer> {
  const work = async (session: SqlSession) => {
    if (!await isFree(session)) return false;
    await hands.clock.sleep(STEADY_MS);
    return isFree(session);
  };
  try {
    return { free: await hands.sql.session({ host }, ASK_LIMIT_MS, work) };
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
