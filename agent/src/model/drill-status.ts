/** The document about restore drills in `<cluster>-status`, written by their Jobs. Times are ISO 8601. */
import type { FailureStatus } from './backup-status.js';
import { parseJson } from './objects.js';
import type { DrillTargetName } from '../../../src/contract/drill.js';
import type { KubeObject } from '../ports/kube.js';

export const DRILL_KEY = 'drill.json';

export const DRILL_STATUS_VERSION = 1;

/** What came of the last run of a drill. What is not known is absent. */
export interface DrillResult {
  readonly done: boolean;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly repository: number;
  readonly target: DrillTargetName;
  /** Label of the backup that was restored. */
  readonly backup?: string;
  /** Where recovery ended. */
  readonly recovered?: { readonly lsn?: string; readonly wal?: string; readonly gtid?: string; readonly upTo?: string };
  /** What would have been lost at the most when recovery came to the archive's end; only with the newest target. */
  readonly rpoSeconds?: number;
  /** From the beginning of the restore until the copy took connections. */
  readonly rtoSeconds?: number;
  readonly restoreSeconds?: number;
  readonly replaySeconds?: number;
  readonly sizeBytes?: number;
  readonly checksums?: 'passed' | 'off';
  readonly amcheck?: 'passed';
  /** CHECK TABLE of all tables (MariaDB). */
  readonly tables?: 'passed';
  readonly checks: Readonly<Record<string, string>>;
  readonly failure?: FailureStatus;
  /** More that went wrong in the same run. */
  readonly alsoFailed?: readonly string[];
  /** End of the last run that was good. */
  readonly lastGoodAt?: string;
}

export interface DrillStatus {
  readonly statusVersion: number;
  readonly updatedAt: string;
  readonly drills: Readonly<Record<string, DrillResult>>;
}

/** What another version wrote is not read. */
export function readDrillStatus(object: KubeObject | undefined): DrillStatus | undefined {
  const status = parseJson((object as { data?: Record<string, string> } | undefined)?.data?.[DRILL_KEY]);
  return status?.statusVersion === DRILL_STATUS_VERSION ? status as unknown as DrillStatus : undefined;
}
