/** What the primary knows about its archive at one moment. Times in ms since 1970, by the server's clock. */
export interface ArchiveSample {
  readonly serverNow: number;
  /** pgBackRest's configuration has reached the member: before that, archive_command gives files up unsent. */
  readonly configured: boolean;
  /** `archive_mode` is not off. */
  readonly enabled: boolean;
  readonly lastArchivedWal: string | undefined;
  readonly lastArchivedAt: number | undefined;
  readonly lastFailedWal: string | undefined;
  readonly lastFailedAt: number | undefined;
  readonly failedCount: number;
  readonly waitingFiles: number;
  readonly waitingBytes: number;
  /** When the newest archived segment was last written to: what was committed until then is in the archive. */
  readonly archivedUpTo: number | undefined;
  /** On the volume of the WAL, and its size; undefined when nobody looked. */
  readonly freeBytes: number | undefined;
  readonly volumeBytes: number | undefined;
  /** Its configuration file has transactions begin without the right to write. */
  readonly isReadOnly: boolean;
  /** What pgBackRest last said of a file that did not get through; undefined when there is nothing. */
  readonly error: string | undefined;
}

/** With less waiting, no volume is about to fill; the question for its room is dearer than the others. */
export const MUCH_BYTES = 64 * 1024 * 1024;

/** How much waited at a moment. */
export interface Waiting {
  readonly at: number;
  readonly bytes: number;
}

/** What one look leaves for the next. */
export interface ArchiveMemory {
  /** Of this cluster ever: kept in the status. */
  readonly firstArchivedAt: number | undefined;
  /** Since when the configuration is known to be in the member; what was archived before does not count. */
  readonly configuredAt: number | undefined;
  readonly since: number | undefined;
  readonly state: string | undefined;
  /** The last minutes, oldest first. */
  readonly waiting: readonly Waiting[];
  /** pgBackRest takes its error away while it tries again: what it said, and when that was last there. */
  readonly error: { readonly text: string; readonly at: number } | undefined;
  /** Of the last look at a primary. */
  readonly seen: Pick<ArchiveSample, 'failedCount' | 'lastArchivedWal'> | undefined;
}

export const NOTHING_REMEMBERED: ArchiveMemory = {
  firstArchivedAt: undefined, configuredAt: undefined, since: undefined, state: undefined, error: undefined,
  waiting: [], seen: undefined,
};
