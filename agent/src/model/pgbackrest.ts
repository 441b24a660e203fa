/** What pgBackRest prints -> facts. Tolerant: what is missing or odd is unknown, never a guess. */
import { numberOrNothing, textOrNothing } from './objects.js';
import type { ContractSchedule } from '../../../src/contract/document.js';

/** Snapshots of volumes are none of pgBackRest's. */
export type BackupType = Exclude<ContractSchedule['type'], 'snapshot'>;

export interface BackupFacts {
  readonly label: string;
  readonly type: BackupType;
  /** Pages whose checksum is wrong, or the like: pgBackRest keeps such a backup and marks it. */
  readonly damaged: boolean;
  /** Seconds since 1970. */
  readonly startedAt: number;
  readonly stoppedAt: number;
  readonly databaseId: number;
  /** WAL segments that it cannot be restored without. */
  readonly walStart: string;
  readonly walStop: string;
  /** Of the database. */
  readonly sizeBytes: number | undefined;
  /** What it takes in the repository, without the backups that it builds on. */
  readonly storedBytes: number | undefined;
  readonly buildsOn: readonly string[];
}

/** The archive of one database: a major upgrade begins another one. */
export interface ArchiveFacts {
  /** Its folder: `17-1`. */
  readonly id: string;
  readonly databaseId: number;
  readonly oldest: string | undefined;
  readonly newest: string | undefined;
}

/** One repository, as `info` tells of it. */
export interface RepositoryFacts {
  /** 0 ok, 1 nothing there, 2 no valid backup, 3 no stanza; others are faults. */
  readonly code: number;
  readonly message: string;
  /** pgBackRest is at work on a backup in the member that was asked. */
  readonly busy: boolean;
  readonly archives: readonly ArchiveFacts[];
  /** Oldest first. */
  readonly backups: readonly BackupFacts[];
}

type Fields = Readonly<Record<string, unknown>>;

const TYPES: Readonly<Record<string, BackupType>> = { full: 'full', diff: 'differential', incr: 'incremental' };

/** What pgBackRest calls a type of backup. */
export function typeOption(type: BackupType): string {
  return Object.entries(TYPES).find(([, name]) => name === type)![0];
}

const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? value as Fields : {});
const list = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(fields) : []);

function backupFacts(value: Fields): BackupFacts | undefined {
  const [time, wal, info] = [fields(value.timestamp), fields(value.archive), fields(value.info)];
  const stored = fields(info.repository);
  const label = textOrNothing(value.label);
  const type = TYPES[String(value.type)];
  const [startedAt, stoppedAt] = [numberOrNothing(time.start), numberOrNothing(time.stop)];
  const [walStart, walStop] = [textOrNothing(wal.start), textOrNothing(wal.stop)];
  const databaseId = numberOrNothing(fields(value.database).id);
  const needed = [label, type, startedAt, stoppedAt, walStart, walStop, databaseId];
  if (needed.some((field) => field === undefined)) return undefined;
  return {
    label: label!, type: type!, startedAt: startedAt!, stoppedAt: stoppedAt!, walStart: walStart!, walStop: walStop!,
    databaseId: databaseId!,
    // Only a plain no is one.
    damaged: value.error !== false,
    sizeBytes: numberOrNothing(info.size),
    // With block-wise storage there is no `size`; what this backup added is told in any case.
    storedBytes: numberOrNothing(stored.delta),
    buildsOn: Array.isArray(value.reference) ? value.reference.map(String) : [],
  };
}

function archiveFacts(value: Fields): ArchiveFacts | undefined {
  const [id, databaseId] = [textOrNothing(value.id), numberOrNothing(fields(value.database).id)];
  if (id === undefined || databaseId === undefined) return undefined;
  return { id, databaseId, oldest: textOrNothing(value.min), newest: textOrNothing(value.max) };
}

const isPresent = <T>(value: T | undefined): value is T => value !== undefined;

/** With a wrong pass pgBackRest quotes bytes that no JSON may hold. */
function parse(text: string): unknown {
  try {
    // eslint-disable-next-line no-control-regex -- exactly these are forbidden in JSON
    return JSON.parse(text.replace(/[\x00-\x1f]/g, ' ')) as unknown;
  } catch {
    return undefined;
  }
}

/** The answer to `info --output=json` about one stanza in one repository; undefined when it cannot be read. */
export function parseInfo(text: string): RepositoryFacts | undefined {
  const [stanza] = list(parse(text));
  if (!stanza) return undefined;
  const status = fields(stanza.status);
  // A fault of the repository stands with it; the stanza then only says "other".
  const own = fields(list(stanza.repo)[0]?.status);
  const code = numberOrNothing(own.code) ?? numberOrNothing(status.code);
  if (code === undefined) return undefined;
  return {
    code,
    message: textOrNothing(own.message) ?? textOrNothing(status.message) ?? '',
    busy: fields(fields(status.lock).backup).held === true,
    archives: list(stanza.archive).map(archiveFacts).filter(isPresent),
    backups: list(stanza.backup).map(backupFacts).filter(isPresent).sort((one, two) => one.stoppedAt - two.stoppedAt),
  };
}

/** False: the repository is there or not, but nobody could look. An empty one (1, 2, 3) was looked at. */
export function isReadable({ code }: RepositoryFacts): boolean {
  return code >= 0 && code <= 3;
}

/** The label in what `backup` prints. */
export function labelIn(line: string): string | undefined {
  return /new backup label = (\S+)/.exec(line)?.[1];
}
