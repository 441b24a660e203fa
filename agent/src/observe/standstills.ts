/**
 * Watches standbys that do not stream, for as long as that lasts. What counts as proof: a fork in the primary's history
 * before the position that a standby has replayed; the primary's own word on which WAL it still has.
 */
import { isPresent } from './failover-view.js';
import type { Log } from '../log.js';
import type { MemberSql } from '../member-sql.js';
import type { MemberReport, PodFacts } from '../model/facts.js';
import type { OperationsSnapshot, Standstill, StandstillCause } from '../model/operations.js';
import type { SqlSession } from '../ports/sql.js';

const LIMIT_MS = 3000;
/** PostgreSQL tries again within 5 s to connect to its primary (`wal_retrieve_retry_interval`). */
const STILL_MS = 8000;
/** States of Patroni in which PostgreSQL is down and no work on it is under way. */
const DOWN = ['stopped', 'crashed', 'start failed', 'restart failed'];

/**
 * By position alone: the segment may stand there under any timeline. Of the byte after the position, since a position
 * at the end of a segment would name that one, and the next one is what is needed.
 */
const WAL_QUERY = `SELECT EXISTS (SELECT FROM pg_ls_waldir()
  WHERE name ~ '^[0-9A-F]{24}$' AND substr(name, 9) = substr(pg_walfile_name('0/0'::pg_lsn + ($1::numeric + 1)), 9)) AS there`;

/** Timeline -> position at which the next one left it. Patroni keeps it in `<cluster>-config`. */
export type Forks = ReadonlyMap<number, number>;

export function parseForks(history: string | undefined): Forks {
  try {
    const lines = JSON.parse(history ?? '[]') as unknown;
    const forks = (Array.isArray(lines) ? lines : []).flatMap((line: unknown): Array<[number, number]> => {
      const [timeline, position] = Array.isArray(line) ? (line as unknown[]) : [];
      return typeof timeline === 'number' && typeof position === 'number' ? [[timeline, position]] : [];
    });
    return new Map(forks);
  } catch {
    return new Map();
  }
}

interface Watched {
  readonly uid: string;
  readonly cause: StandstillCause | 'still';
  readonly sinceMs: number;
  readonly replayed: number | undefined;
}

export interface Watching {
  readonly sql: Pick<MemberSql, 'session'>;
  readonly log: Log;
}

/** What one look can say; `still` becomes more only when it lasts. Undefined: it gets on, or nothing is known. */
export function causeNow(
  report: MemberReport | undefined, primary: MemberReport, forks: Forks, replayedBefore: number | undefined,
): 'diverged' | 'not-started' | 'still' | undefined {
  if (report?.role !== 'replica') return undefined;
  if (DOWN.includes(report.state)) return 'not-started';
  const { replayedLocation } = report;
  if (report.state !== 'running' || replayedLocation === undefined || isFollowing(report, primary)) return undefined;
  if (isPastFork(report, primary, forks)) return 'diverged';
  return (replayedBefore ?? replayedLocation) === replayedLocation ? 'still' : undefined;
}

/** Without a timeline nothing can be said of it. */
function isFollowing({ streaming, timeline }: MemberReport, primary: MemberReport): boolean {
  return timeline === undefined || (streaming && timeline === primary.timeline);
}

function isPastFork({ timeline, replayedLocation }: MemberReport, primary: MemberReport, forks: Forks): boolean {
  return timeline !== primary.timeline && replayedLocation! > (forks.get(timeline!) ?? Infinity);
}

interface Look {
  readonly snapshot: OperationsSnapshot;
  readonly primary: MemberReport;
  readonly forks: Forks;
  readonly nowMs: number;
}

function reportOf({ reports }: OperationsSnapshot, pod: string): MemberReport | undefined {
  return reports.find((report) => report.pod === pod);
}

export class Standstills {
  private readonly watched = new Map<string, Watched>();

  constructor(private readonly watching: Watching) {}

  /** Nothing is wrong with anybody, or nothing is known. */
  forget(): void {
    this.watched.clear();
  }

  async look(snapshot: OperationsSnapshot, forks: Forks, nowMs: number): Promise<Standstill[]> {
    const { leader, pods } = snapshot;
    const primary = leader === 'unknown' || leader.pod === undefined ? undefined : reportOf(snapshot, leader.pod);
    if (primary?.role !== 'primary' || pods === 'unknown') {
      this.forget();
      return [];
    }
    const look: Look = { snapshot, primary, forks, nowMs };
    const standbys = pods.filter(({ name }) => name !== primary.pod);
    standbys.forEach((pod) => this.note(pod, look));
    const judged = await Promise.all(standbys.map((pod) => this.judge(pod, look)));
    return judged.filter(isPresent);
  }

  private note({ name, uid }: PodFacts, { snapshot, primary, forks, nowMs }: Look): void {
    const known = this.watched.get(name);
    const before = known?.uid === uid ? known : undefined;
    const report = reportOf(snapshot, name);
    const cause = causeNow(report, primary, forks, before?.replayed);
    const sinceMs = before && before.cause === cause ? before.sinceMs : nowMs;
    if (cause === undefined) this.watched.delete(name);
    else this.watched.set(name, { uid, cause, sinceMs, replayed: report?.replayedLocation });
  }

  private async judge({ name: pod, uid }: PodFacts, look: Look): Promise<Standstill | undefined> {
    const { snapshot, primary, nowMs } = look;
    const watched = this.watched.get(pod);
    if (!watched) return undefined;
    const forMs = nowMs - watched.sinceMs;
    if (watched.cause !== 'still') return { pod, uid, cause: watched.cause, forMs };
    if (forMs < STILL_MS) return undefined;
    const isLost = await this.isWalGone(addressOf(snapshot, primary.pod), reportOf(snapshot, pod));
    return { pod, uid, cause: isLost ? 'wal-gone' : 'unclear', forMs: forMs - STILL_MS };
  }

  /** By the primary's own word; false also where that is not to be had. */
  private async isWalGone(host: string | undefined, standby: MemberReport | undefined): Promise<boolean> {
    if (host === undefined || standby?.replayedLocation === undefined || standby.readsArchive) return false;
    // What it has received and not replayed yet it need not get again.
    const position = Math.max(standby.replayedLocation, standby.receivedLocation ?? 0);
    const ask = (session: SqlSession) => session.query(WAL_QUERY, [position]);
    try {
      const rows = await this.watching.sql.session({ host }, LIMIT_MS, ask);
      return rows[0]?.there === false;
    } catch (problem) {
      this.watching.log.warn('the primary\'s WAL could not be looked at', { problem: String(problem) });
      return false;
    }
  }
}

function addressOf({ pods }: OperationsSnapshot, name: string): string | undefined {
  return pods === 'unknown' ? undefined : pods.find((pod) => pod.name === name)?.ip;
}
