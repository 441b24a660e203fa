/** Whether WAL reaches the archive, and what comes of it when it does not. Pure. */
import { explainFailure } from './backup-failure.js';
import type { ArchiveMemory, ArchiveSample, Waiting } from '../model/archive.js';
import type { ArchiveState, ArchiveStatus, FailureStatus } from '../model/backup-status.js';
import type { ClusterStatus } from '../model/status.js';

/** Long enough to even out bursts, short enough to follow a change of load. */
const RATE_OVER_MS = 600_000;
/** Less says nothing about a rate. */
const RATE_AT_LEAST_MS = 30_000;
/** PostgreSQL pauses for a minute after three tries, and the error stands until the next one begins. */
const ERROR_HOLDS_MS = 60_000;
/** A note may be a moment younger than the look at the clock beside it. */
const NOTE_AHEAD_MS = 2_000;
/** A forecast for longer than that is none. */
const FORECAST_LIMIT_MS = 30 * 24 * 3_600_000;

export interface ArchiveView {
  readonly status: ArchiveStatus;
  readonly memory: ArchiveMemory;
}

/** What came last, by the server's own notes; once its clock was set back they tell nothing, and what changed does. */
function isFailing(sample: ArchiveSample, memory: ArchiveMemory): boolean {
  const { serverNow, lastFailedAt, lastArchivedAt, failedCount, lastArchivedWal } = sample;
  if (lastFailedAt === undefined) return false;
  const isDatedLater = Math.max(lastFailedAt, lastArchivedAt ?? 0) > serverNow + NOTE_AHEAD_MS;
  if (!isDatedLater) return lastArchivedAt === undefined || lastFailedAt > lastArchivedAt;
  if (!memory.seen) return memory.state === 'failing';
  if (failedCount > memory.seen.failedCount) return true;
  return memory.state === 'failing' && lastArchivedWal === memory.seen.lastArchivedWal;
}

function stateOf(sample: ArchiveSample, memory: ArchiveMemory): ArchiveState {
  if (!sample.enabled || !sample.configured) return 'waiting';
  if (isFailing(sample, memory)) return 'failing';
  return firstArchived(sample, memory) === undefined || sample.lastArchivedAt === undefined ? 'waiting' : 'archiving';
}

/** Only a file that was archived while the configuration was there has reached the storage. */
function firstArchived({ configured, lastArchivedAt }: ArchiveSample, memory: ArchiveMemory): number | undefined {
  if (memory.firstArchivedAt !== undefined) return memory.firstArchivedAt;
  const counts = configured && lastArchivedAt !== undefined && memory.configuredAt !== undefined;
  return counts && lastArchivedAt > memory.configuredAt! ? lastArchivedAt : undefined;
}

const NOT_ARRIVING = 'WAL does not reach the archive.';

/** What the storage refuses pgBackRest writes down at once; without an answer it goes on trying, for minutes. */
function stillTrying(): FailureStatus {
  const failure = explainFailure(49, 'pgBackRest has no answer yet, and is still trying');
  return { ...failure, problem: `${NOT_ARRIVING} ${failure.problem}` };
}

function failureOf(sample: ArchiveSample, state: ArchiveState, error: string | undefined): FailureStatus | undefined {
  if (!sample.enabled) return explainFailure(87, '');
  if (state !== 'failing') return undefined;
  if (error === undefined) return stillTrying();
  const code = Number.parseInt(error, 10);
  const failure = explainFailure(Number.isNaN(code) ? undefined : code, error.replace(/^\d+\n/, ''));
  return { ...failure, problem: `${NOT_ARRIVING} ${failure.problem}` };
}

/** Bytes a second by which what waits grows. */
export function growth(waiting: readonly Waiting[]): number | undefined {
  const [oldest, newest] = [waiting[0], waiting.at(-1)];
  if (!oldest || !newest || newest.at - oldest.at < RATE_AT_LEAST_MS) return undefined;
  return (newest.bytes - oldest.bytes) / ((newest.at - oldest.at) / 1000);
}

function fullAt({ serverNow, freeBytes }: ArchiveSample, waiting: readonly Waiting[]): number | undefined {
  const rate = growth(waiting);
  if (freeBytes === undefined || rate === undefined || rate <= 0) return undefined;
  const inMs = (freeBytes / rate) * 1000;
  return inMs > FORECAST_LIMIT_MS ? undefined : serverNow + inMs;
}

function lastError({ error, serverNow }: ArchiveSample, { error: before }: ArchiveMemory): ArchiveMemory['error'] {
  if (error !== undefined) return { text: error, at: serverNow };
  return before && serverNow - before.at < ERROR_HOLDS_MS ? before : undefined;
}

function nextMemory(sample: ArchiveSample, memory: ArchiveMemory, state: ArchiveState): ArchiveMemory {
  const { serverNow, waitingBytes: bytes, configured } = sample;
  const recent = memory.waiting.filter(({ at }) => serverNow - at <= RATE_OVER_MS && at < serverNow);
  return {
    firstArchivedAt: firstArchived(sample, memory),
    configuredAt: configured ? memory.configuredAt ?? serverNow : undefined,
    state,
    since: memory.state === state ? memory.since ?? serverNow : serverNow,
    waiting: [...recent, { at: serverNow, bytes }],
    error: state === 'failing' ? lastError(sample, memory) : undefined,
    seen: { failedCount: sample.failedCount, lastArchivedWal: sample.lastArchivedWal },
  };
}

const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

type Known<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Fields that are unknown are left out. */
function known<T extends object>(fields: T): Known<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Known<T>;
}

export function judgeArchive(sample: ArchiveSample, before: ArchiveMemory): ArchiveView {
  const state = stateOf(sample, before);
  const memory = nextMemory(sample, before, state);
  const { serverNow, lastArchivedWal, lastFailedWal, waitingFiles, waitingBytes, freeBytes, volumeBytes } = sample;
  const status: ArchiveStatus = {
    state, since: iso(memory.since)!, checkedAt: iso(serverNow)!, waitingFiles, waitingBytes,
    ...known({
      failure: failureOf(sample, state, memory.error?.text),
      firstArchivedAt: iso(memory.firstArchivedAt),
      lastArchivedWal, lastArchivedAt: iso(sample.lastArchivedAt),
      lastFailedWal, lastFailedAt: iso(sample.lastFailedAt),
      archivedUpTo: iso(sample.archivedUpTo), freeBytes, volumeBytes, fullAt: iso(fullAt(sample, memory.waiting)),
    }),
  };
  return { status, memory };
}

/** Nobody could be asked: what was archived stays archived, and nothing is said about now. */
export function unknownArchive(before: ArchiveStatus | undefined, memory: ArchiveMemory, now: number): ArchiveView {
  const since = memory.state === 'unknown' ? memory.since ?? now : now;
  const { firstArchivedAt, lastArchivedWal, lastArchivedAt, archivedUpTo } = before ?? {};
  const { writesStopped, readOnlyMembers } = before ?? {};
  const archived = { firstArchivedAt, lastArchivedWal, lastArchivedAt, archivedUpTo };
  const lasting = known({ ...archived, writesStopped, readOnlyMembers });
  return {
    status: { state: 'unknown', since: iso(since)!, checkedAt: iso(now)!, ...lasting },
    memory: { ...memory, state: 'unknown', since, waiting: [] },
  };
}

type Judged = Pick<ClusterStatus, 'phase' | 'why'>;

function whyNotSafe(archive: ArchiveStatus | undefined): string | undefined {
  if (archive?.writesStopped) return `${archive.writesStopped.problem} ${archive.writesStopped.fix}`;
  if (archive?.failure) return `${archive.failure.problem} ${archive.failure.fix}`;
  return archive?.firstArchivedAt === undefined ? 'no WAL file has arrived in the archive yet' : undefined;
}

/**
 * A cluster whose WAL does not arrive is not healthy: with its volumes all would be lost. That nobody could be asked
 * just now changes nothing.
 */
export function withArchive<T extends Judged>(health: T, archive: ArchiveStatus | undefined): T {
  const why = whyNotSafe(archive);
  return health.phase === 'Healthy' && why !== undefined ? { ...health, phase: 'Degraded', why } : health;
}
