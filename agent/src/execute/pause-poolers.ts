/**
 * Holds the clients of poolers while the primary changes: PgBouncer lets running transactions end, closes its server
 * connections, and keeps what clients send until RESUME. The caller has written down that there is a pause before it
 * calls, so that the next leader of the agent ends one that was left behind.
 */
import type { Hands, Outcome } from './executor.js';
import { COMPONENT, LABEL } from '../../../src/contract/labels.js';
import { primaryServiceName } from '../../../src/contract/names.js';
import { POOLER_PORT } from '../../../src/contract/ports.js';
import { addressesOf, podFacts, type Address } from '../model/objects.js';
import type { ResumePoolers } from '../model/operations.js';
import { SqlError, type SqlRow } from '../ports/sql.js';

/** Running transactions get this long to end. Longer ones are cut, as they are without a pooler. */
const PAUSE_LIMIT_MS = 3000;
const RESUME_LIMIT_MS = 2000;
/** Clients rather see an error than wait for a pooler's own limit, 60 s (`query_wait_timeout`). */
const PRIMARY_LIMIT_MS = 40_000;
/** A big cache on a slow disk. */
const CHECKPOINT_LIMIT_MS = 120_000;
const KNOCK_LIMIT_MS = 300;
/**
 * A look at a Service without endpoints may hear nothing: of the rejections of kube-proxy Linux sends six at once and
 * then one a second (ADR 9). So the first look that hears nothing is given up early; a slow server gets longer ones.
 */
const FIRST_LOOK_LIMIT_MS = 200;
const LOOK_LIMIT_MS = 1000;
const LOOK_AGAIN_MS = 25;
/** kube-proxy on the poolers' nodes may be a little later than on the agent's. */
const PROXIES_MS = 50;

const CONSOLE = { port: POOLER_PORT, database: 'pgbouncer' };

/** One run of one server: a restart gives another. */
type Server = string;

export function pausablePoolers(hands: Hands, cluster: string): Address[] {
  const pods = hands.pods(cluster, COMPONENT.pooler).filter((pod) => pod.metadata.labels?.[LABEL.pausable] === 'true');
  return addressesOf(pods.map(podFacts));
}

/** Undefined: done. */
async function command(hands: Hands, pooler: Address, text: string, limitMs: number): Promise<string | undefined> {
  try {
    await hands.sql.session({ ...CONSOLE, host: pooler.ip }, limitMs, (session) => session.query(text));
    return undefined;
  } catch (problem) {
    return problem instanceof SqlError ? problem.message : String(problem);
  }
}

async function pause(hands: Hands, pooler: Address): Promise<string | undefined> {
  const problem = await command(hands, pooler, 'PAUSE', PAUSE_LIMIT_MS);
  return problem && `${pooler.pod} did not pause (${problem})`;
}

/** It has nothing to resume when it was never paused, or has restarted. */
async function resume(hands: Hands, pooler: Address): Promise<string | undefined> {
  const problem = await command(hands, pooler, 'RESUME', RESUME_LIMIT_MS);
  return problem === undefined || problem.includes('not paused') ? undefined : `${pooler.pod} did not resume (${problem})`;
}

/** Undefined: no server that takes writes. `host`: a member, or the Service that leads to the primary. */
async function writableServer(hands: Hands, host: string, limitMs = LOOK_LIMIT_MS): Promise<Server | undefined> {
  const query = 'SELECT inet_server_addr() AS address, pg_postmaster_start_time() AS since, pg_is_in_recovery() AS standby';
  try {
    const rows: readonly SqlRow[] = await hands.sql.session({ host }, limitMs, (session) => session.query(query));
    const { address, since, standby } = rows[0] ?? {};
    return standby === false ? `${String(address)} since ${(since as Date).toISOString()}` : undefined;
  } catch {
    return undefined;
  }
}

/** Gives up after a while, since clients that get an error are better off than clients that hang. */
async function untilServed(hands: Hands, cluster: string, isNew: (server: Server) => boolean): Promise<boolean> {
  const end = hands.clock.nowMs() + PRIMARY_LIMIT_MS;
  let limitMs = FIRST_LOOK_LIMIT_MS;
  while (hands.clock.nowMs() < end) {
    const startedMs = hands.clock.nowMs();
    const server = await writableServer(hands, primaryServiceName(cluster), limitMs);
    if (server !== undefined && isNew(server)) {
      await hands.clock.sleep(PROXIES_MS);
      return true;
    }
    if (hands.clock.nowMs() - startedMs >= limitMs) limitMs = Math.min(2 * limitMs, LOOK_LIMIT_MS);
    await hands.clock.sleep(LOOK_AGAIN_MS);
  }
  return false;
}

const sentence = (problems: ReadonlyArray<string | undefined>) => problems.filter((problem) => problem !== undefined).join(', ');

async function resumeAll(hands: Hands, cluster: string): Promise<string> {
  return sentence(await Promise.all(pausablePoolers(hands, cluster).map((pooler) => resume(hands, pooler))));
}

function withNotes(outcome: Outcome, notes: readonly string[], unresumed: string): Outcome {
  const detail = [outcome.detail, ...notes, unresumed].filter((text) => text !== '').join('; ');
  return { ...outcome, detail, poolersPaused: outcome.poolersPaused || unresumed !== '' };
}

interface Round {
  readonly cluster: string;
  readonly poolers: readonly Address[];
  readonly before: Server;
}

/** Does the work while clients of poolers wait; RESUME follows whatever comes of it. */
export async function whilePaused(hands: Hands, cluster: string, work: () => Promise<Outcome>): Promise<Outcome> {
  const all = pausablePoolers(hands, cluster);
  if (all.length === 0) return work();
  const service = primaryServiceName(cluster);
  // Without eyes for the primary nobody could say when to go on.
  const before = await writableServer(hands, service);
  if (before === undefined) return withNotes(await work(), [`poolers were not paused, since ${service} did not answer`], '');
  await shortenCheckpoint(hands, service);
  const poolers = await answering(hands, all);
  const absent = all.filter((pooler) => !poolers.includes(pooler)).map(({ pod }) => `${pod} does not answer and was not paused`);
  const outcome = await pausedRound(hands, { cluster, poolers, before }, work);
  return withNotes(outcome, absent, '');
}

async function pausedRound(
  hands: Hands, { cluster, poolers, before }: Round, work: () => Promise<Outcome>,
): Promise<Outcome> {
  const started = hands.clock.nowMs();
  const unpaused = sentence(await Promise.all(poolers.map((pooler) => pause(hands, pooler))));
  // Clients go on as soon as the Service leads to a new server; Patroni's answer comes later. Failed work changes none.
  let failed = false;
  const working = work().then((outcome) => {
    failed = !outcome.done;
    return outcome;
  }, (problem: unknown) => {
    failed = true;
    return { done: false, detail: String(problem) };
  });
  const served = await untilServed(hands, cluster, (server) => failed || server !== before);
  const unresumed = await resumeAll(hands, cluster);
  const held = `clients of ${poolers.length} pooler Pods waited ${hands.clock.nowMs() - started} ms at the most`;
  return withNotes(await working, [held, unpaused, served ? '' : 'no primary was served in that time'], unresumed);
}

/** One that is gone would hold up the clients of all others until the limit. */
async function answering(hands: Hands, poolers: readonly Address[]): Promise<Address[]> {
  const reached = await Promise.all(poolers.map(({ ip }) => hands.network.probe(ip, POOLER_PORT, KNOCK_LIMIT_MS)));
  return poolers.filter((_, index) => reached[index] === 'answers');
}

/** What is dirty is written while clients still work, so that the stop itself is short. */
async function shortenCheckpoint(hands: Hands, host: string): Promise<void> {
  await hands.sql.session({ host }, CHECKPOINT_LIMIT_MS, (session) => session.query('CHECKPOINT')).catch((problem: unknown) => {
    hands.log.warn('no checkpoint before the pause', { problem: String(problem) });
  });
}

/** Ends a pause that somebody left behind. */
export async function resumePoolers(hands: Hands, action: ResumePoolers): Promise<Outcome> {
  const served = await writableServer(hands, primaryServiceName(action.cluster));
  if (served === undefined) return { done: false, detail: 'no primary is served yet', poolersPaused: true };
  const unresumed = await resumeAll(hands, action.cluster);
  return { done: unresumed === '', detail: unresumed || 'poolers go on', poolersPaused: unresumed !== '' };
}
