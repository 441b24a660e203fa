/** What a restore drill has proven. Pure. */
import { explainDrill } from './drill-failure.js';
import type { DrillFact, DrillReport, DrillTargetName, GaleraRecovered, PostgresRecovered } from '../../../src/contract/drill.js';
import type { ArchiveStatus, FailureStatus } from '../model/backup-status.js';
import { DRILL_STATUS_VERSION, type DrillResult, type DrillStatus } from '../model/drill-status.js';

export interface DrillOrder {
  readonly cluster: string;
  readonly drill: string;
  readonly target: DrillTargetName;
  readonly repository: number;
}

/** What came over the socket: the report, or how it ended without one. */
export type DrillReading = { readonly report: DrillReport } | { readonly without: DrillFact };

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const rounded = (seconds: number) => Math.round(seconds * 10) / 10;

type Known<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function known<T extends object>(fields: T): Known<T> {
  const there = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(there) as Known<T>;
}

/** Names of WAL files of one cluster are in order, timelines first. */
function reaches(wal: string, archived: string | undefined): boolean {
  return archived !== undefined && /^[0-9A-F]{24}$/.test(archived) && wal >= archived;
}

/** What is known of the archive at the moment at which recovery came to its end. */
export interface ArchiveThen {
  readonly status: ArchiveStatus | undefined;
  /** What is committed is sent after so many seconds at the latest. */
  readonly timeoutSeconds: number | undefined;
}

/** The sender looks every few seconds, and a segment takes a while on its way. */
const SLACK_S = 10;

/**
 * Until when the primary has sent all that was committed, as the agent saw it: the end of the newest file, or where
 * nothing waits and nothing was written since, the time that a commit can have waited.
 */
function sentUpTo({ status, timeoutSeconds }: ArchiveThen): number | undefined {
  if (status?.archivedUpTo === undefined) return undefined;
  const sent = Date.parse(status.archivedUpTo) / 1000;
  const idle = status.state === 'archiving' && status.waitingFiles === 0 && timeoutSeconds !== undefined;
  return idle ? Math.max(sent, Date.parse(status.checkedAt) / 1000 - timeoutSeconds - SLACK_S) : sent;
}

/**
 * Until when everything that was committed is in the copy: the last commit that was replayed, or what the primary has
 * sent, where recovery has come to the newest file. Without writes the last commit alone would be old. The archive of a
 * Galera cluster says so itself.
 */
export function recoveredUpTo({ recovered }: DrillReport, archive: ArchiveThen): number | undefined {
  if (recovered === undefined) return undefined;
  if ('gtid' in recovered) return recovered.upTo;
  const { wal, lastCommitAt } = recovered;
  const whole = reaches(wal, archive.status?.lastArchivedWal);
  const moments = [lastCommitAt, whole ? sentUpTo(archive) : undefined].filter((moment) => moment !== undefined);
  return moments.length === 0 ? undefined : Math.max(...moments);
}

function failuresOf({ failures, checks }: DrillReport): FailureStatus[] {
  const asked = checks.filter(({ passed }) => !passed)
    .map(({ name, got }): DrillFact => ({ stage: 'checks', text: `${name}: ${got}` }));
  return [...failures, ...asked].map(explainDrill);
}

function place(recovered: PostgresRecovered | GaleraRecovered): { gtid: string } | { lsn: string; wal: string } {
  return 'gtid' in recovered ? { gtid: recovered.gtid } : { lsn: recovered.lsn, wal: recovered.wal };
}

const figure = (seconds: number | undefined) => (seconds === undefined ? undefined : rounded(seconds));

function rpoOf(report: DrillReport, target: DrillTargetName, upTo: number | undefined): number | undefined {
  const { recoveredAt } = report;
  if (target !== 'newest' || upTo === undefined || recoveredAt === undefined) return undefined;
  return Math.max(0, recoveredAt - upTo);
}

function measured(report: DrillReport, target: DrillTargetName, archive: ArchiveThen) {
  const { restoreSeconds, replaySeconds, recovered } = report;
  const upTo = recoveredUpTo(report, archive);
  const whole = restoreSeconds !== undefined && replaySeconds !== undefined;
  return known({
    recovered: recovered && { ...place(recovered), ...(upTo === undefined ? {} : { upTo: iso(upTo) }) },
    rpoSeconds: figure(rpoOf(report, target, upTo)),
    rtoSeconds: whole ? rounded(restoreSeconds + replaySeconds) : undefined,
    restoreSeconds: figure(restoreSeconds), replaySeconds: figure(replaySeconds),
  });
}

export function judgeDrill(order: DrillOrder, report: DrillReport, archive: ArchiveThen): DrillResult {
  const { target, repository } = order;
  const { backup, sizeBytes, checksums, amcheck, tables } = report;
  const [failure, ...others] = failuresOf(report);
  return {
    done: failure === undefined,
    startedAt: iso(report.startedAt), endedAt: iso(report.endedAt), repository, target,
    ...known({ backup, sizeBytes, checksums, amcheck, tables }),
    ...measured(report, target, archive),
    checks: Object.fromEntries(report.checks.map(({ name, passed, got }) => [name, passed ? 'passed' : `failed: ${got}`])),
    ...(failure ? { failure } : {}),
    ...(others.length > 0 ? { alsoFailed: others.map(({ kind, detail }) => `${kind}: ${detail}`) } : {}),
  };
}

/** A drill of which nothing came back. */
export function lostDrill(order: DrillOrder, fact: DrillFact, times: { startedAt: Date; endedAt: Date }): DrillResult {
  return {
    done: false, startedAt: times.startedAt.toISOString(), endedAt: times.endedAt.toISOString(),
    repository: order.repository, target: order.target, checks: {}, failure: explainDrill(fact),
  };
}

/** The document with one more result. */
export function withDrill(before: DrillStatus | undefined, drill: string, result: DrillResult, at: Date): DrillStatus {
  const lastGoodAt = result.done ? result.endedAt : before?.drills[drill]?.lastGoodAt;
  return {
    statusVersion: DRILL_STATUS_VERSION, updatedAt: at.toISOString(),
    drills: { ...before?.drills, [drill]: { ...result, ...(lastGoodAt === undefined ? {} : { lastGoodAt }) } },
  };
}

/** One sentence for Events and logs. */
export function drillSentence(drill: string, result: DrillResult): string {
  const { failure, backup, rpoSeconds, rtoSeconds } = result;
  if (failure) {
    const { kind, problem, fix, detail } = failure;
    return `Restore drill ${drill} failed (${kind}): ${problem} ${fix}${detail ? ` Detail: ${detail}` : ''}`;
  }
  const figures = [
    ...(rtoSeconds === undefined ? [] : [`writable after ${rtoSeconds} s (RTO)`]),
    ...(rpoSeconds === undefined ? [] : [`at most the last ${rpoSeconds} s would have been lost (RPO)`]),
  ];
  return `Restore drill ${drill} passed: ${backup} was restored${figures.map((text) => `, ${text}`).join('')}.`;
}
