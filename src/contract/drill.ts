/** What a restore drill is told, and what it tells: drill.py and the agent's Job share it. */
import type { STANZA } from './document';

export type DrillTargetName = 'newest' | 'random';

/** drill.json, read by drill.py. */
export interface DrillDocument {
  readonly stanza: typeof STANZA;
  /** Key of the repository, and its name for people. */
  readonly repository: number;
  readonly storage: string;
  readonly target: DrillTargetName;
  readonly dataDirectory: string;
  readonly binDirectory: string;
  readonly socketDirectory: string;
  readonly superuser: string;
  /** Reads the archive as members do. */
  readonly archiveScript: string;
  readonly sharedBuffersMiB: number;
  readonly deadlineSeconds: number;
  readonly needs: DrillNeed[];
  readonly checks: DrillQuestion[];
}

/** A value of a Secret or ConfigMap that pgBackRest cannot do without, as a variable or as a file. */
export interface DrillNeed {
  readonly environment?: string;
  readonly file?: string;
  /** `Secret s3-backups`. */
  readonly object: string;
  readonly key: string;
}

export interface DrillQuestion {
  readonly name: string;
  readonly database: string;
  readonly sql: string;
}

/** The last line of drill.py: facts. Times are seconds since 1970 by the clock of the drill's node. */
export interface DrillReport {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly backup?: string;
  /** The position that was drawn; none: the end of the archive. */
  readonly lsn?: string | null;
  readonly restoreSeconds?: number;
  readonly replaySeconds?: number;
  /** When the copy took connections: it had come to the end of the archive just before. */
  readonly recoveredAt?: number;
  readonly sizeBytes?: number;
  readonly recovered?: {
    readonly lsn: string; readonly timeline: number; readonly wal: string; readonly lastCommitAt?: number;
  };
  readonly checksums?: 'passed' | 'off';
  readonly amcheck?: 'passed';
  readonly checks: ReadonlyArray<{ readonly name: string; readonly passed: boolean; readonly got: string }>;
  readonly failures: readonly DrillFact[];
}

/** A step that failed, with what the program said. */
export interface DrillFact {
  readonly stage: string;
  readonly text: string;
  readonly exitCode?: number;
}

/** Where drill and reporter of a Pod meet. */
export const DRILL_SOCKET = '/run/drill/report.sock';
