/** What a restore drill is told, and what it tells: its script and the agent's Job share it. */
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

/** drill.json, read by galera_drill.py. The rest stands in the members' galera.json. */
export interface GaleraDrillDocument {
  /** Options of the repository and what is filled in of Secrets, for rclone. */
  readonly repository: { readonly options: Record<string, string> };
  readonly storage: string;
  readonly target: DrillTargetName;
  readonly bufferPoolMiB: number;
  readonly deadlineSeconds: number;
  readonly needs: DrillNeed[];
  readonly checks: DrillQuestion[];
}

/** A value of a Secret or ConfigMap that the storage cannot be read without, as a variable or as a file. */
export interface DrillNeed {
  /** The option of the repository that it fills. */
  readonly option: string;
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

/** Where the recovery of a PostgreSQL cluster ended. */
export interface PostgresRecovered {
  readonly lsn: string;
  readonly timeline: number;
  readonly wal: string;
  readonly lastCommitAt?: number;
}

/** Where the recovery of a Galera cluster ended, and until when all that was committed is in it. */
export interface GaleraRecovered {
  readonly gtid: string;
  readonly upTo: number;
}

/** The last line of a drill's script: facts. Times are seconds since 1970 by the clock of the drill's node. */
export interface DrillReport {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly backup?: string;
  /** The position that was drawn; none: the end of the archive. */
  readonly lsn?: string | null;
  readonly restoreSeconds?: number;
  readonly replaySeconds?: number;
  /** When the archive had been read to its end: what came later is not in the copy. */
  readonly recoveredAt?: number;
  readonly sizeBytes?: number;
  readonly recovered?: PostgresRecovered | GaleraRecovered;
  readonly checksums?: 'passed' | 'off';
  readonly amcheck?: 'passed';
  /** CHECK TABLE of all tables. */
  readonly tables?: 'passed';
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
