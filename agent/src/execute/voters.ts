/**
 * Asks the synchronous standbys how much of the log they have. Where the old primary may live, they are asked by SQL,
 * and also whether anything could still bring them back to it once it is fenced off: a receiver, one that is about to
 * start, or an address in the files from which the server would start again. A session of its own each time: its
 * settings are those of the postmaster, which tells its children before it opens it.
 */
import type { Hands } from './executor.js';
import { syncName } from '../../../src/contract/names.js';
import type { PodFacts, SyncFacts } from '../model/facts.js';
import type { Voter } from '../model/heir.js';
import { askMember } from '../model/member-report.js';
import { numberOrNothing, podFacts, syncFacts } from '../model/objects.js';
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
  AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'walreceiver') AS free,
  pg_wal_lsn_diff(GREATEST(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0')::float8 AS position`;

export interface Ballot {
  readonly sync: SyncFacts;
  /** How many must have let go, so that no set that can confirm is left to the old primary. */
  readonly needed: number;
  /** Those that answered. */
  readonly voters: readonly Voter[];
  /** Why the last of those that were not heard did not answer. */
  readonly problem: string | undefined;
}

type Look = Pick<Voter, 'free' | 'position'>;
type Answer = Voter | { readonly problem: string };

async function look(session: SqlSession): Promise<Look> {
  const { free, position } = (await session.query(QUESTION))[0] ?? {};
  return { free: free === true, position: numberOrNothing(position) };
}

async function ask(hands: Hands, pod: PodFacts & { ip: string }): Promise<Answer> {
  const work = async (session: SqlSession) => {
    const first = await look(session);
    if (!first.free) return first;
    await hands.clock.sleep(STEADY_MS);
    return look(session);
  };
  // Both at once: each is a few milliseconds, and clients wait.
  const asking = askMember(hands.patroni, { pod: pod.name, ip: pod.ip }, 0, ASK_LIMIT_MS);
  try {
    const said = await hands.sql.session({ host: pod.ip }, ASK_LIMIT_MS, work);
    return { pod: pod.name, node: pod.node, ...said, report: await asking };
  } catch (problem) {
    // A right that is missing is no matter of this standby.
    if (!(problem instanceof SqlError)) throw problem;
    return { problem: problem.message };
  }
}

/**
 * Of a dead primary nobody gets anything more, and what Patroni says of its standby is asked of it at that moment. It
 * spares the heir sessions, just when it has to promote.
 */
async function askPosition(hands: Hands, pod: PodFacts & { ip: string }): Promise<Answer> {
  const report = await askMember(hands.patroni, { pod: pod.name, ip: pod.ip }, 0, ASK_LIMIT_MS);
  const known = [report?.receivedLocation, report?.replayedLocation].filter((location) => location !== undefined);
  if (known.length === 0) return { problem: `${pod.name} does not say what it has` };
  return { pod: pod.name, node: pod.node, free: false, position: Math.max(...known), report };
}

/** Of a dead primary only what is left of it; of one that may live also whether the standbys are free of it. */
export async function askVoters(hands: Hands, cluster: string, primary: 'may live' | 'dead'): Promise<Ballot> {
  const sync = syncFacts(await hands.kube.get('configmaps', syncName(cluster)));
  const askOne = primary === 'dead' ? askPosition : ask;
  const standbys = hands.pods(cluster).map(podFacts)
    .filter((pod): pod is PodFacts & { ip: string } => pod.ip !== undefined && sync.standbys.includes(pod.name));
  const answers = await Promise.all(standbys.map((pod) => askOne(hands, pod)));
  return {
    sync,
    needed: sync.quorum + 1,
    voters: answers.filter((answer): answer is Voter => 'pod' in answer),
    problem: answers.flatMap((answer) => ('problem' in answer ? [answer.problem] : [])).at(-1),
  };
}
