/** What the scripts of a Galera member print about its archive (galera_backup.py). */
import { parseJson } from '../objects.js';

/** Where a backup could be made. */
export interface PlaceFacts {
  readonly pod: string;
  /** The member takes part in the group and is in step. */
  readonly synced: boolean;
  readonly writer: boolean;
}

export interface GaleraBackupFacts {
  readonly label: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly gtid: string;
}

/** How far one backup can be replayed: times in seconds since 1970. */
export interface ReplayFacts {
  readonly label: string;
  readonly starts: number;
  readonly ends: number;
  /** The last transaction before one that is missing. */
  readonly gapAfter?: string;
}

export interface ArchiveFacts {
  readonly backups: readonly GaleraBackupFacts[];
  readonly replays: readonly ReplayFacts[];
}

export function parsePlace(pod: string, line: string | undefined): PlaceFacts | undefined {
  const value = line === undefined ? undefined : parseJson(line);
  return typeof value?.synced === 'boolean' && typeof value.writer === 'boolean'
    ? { pod, synced: value.synced, writer: value.writer } : undefined;
}

export function parseArchive(line: string | undefined): ArchiveFacts | undefined {
  const value = line === undefined ? undefined : parseJson(line);
  return Array.isArray(value?.backups) && Array.isArray(value.replays) ? value as unknown as ArchiveFacts : undefined;
}

export function parseBackup(line: string | undefined): GaleraBackupFacts | undefined {
  const value = line === undefined ? undefined : parseJson(line);
  return typeof value?.label === 'string' && typeof value.endedAt === 'string' ? value as unknown as GaleraBackupFacts : undefined;
}
