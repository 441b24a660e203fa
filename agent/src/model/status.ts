/** The document in `<cluster>-status`: what people, `kubectl everest` and the agent's own next leader read. */

import type { RequestAnswer } from './operations.js';
import type { SqlProblem } from './sql-catalog.js';

export const STATUS_VERSION = 1;
export const STATUS_KEY = 'status.json';
export const MEMORY_KEY = 'memory.json';
export const DATABASES_KEY = 'databases.json';

export type Phase =
  /** All members stream, the sync key names a standby where it has to. */
  | 'Healthy'
  /** There is a primary; something is missing that would be needed for the next failure. */
  | 'Degraded'
  /** Planned work is under way. */
  | 'Updating'
  /** Nobody holds the lease. */
  | 'NoPrimary'
  /** The first member is being made. */
  | 'Forming'
  | 'ContractRefused'
  | 'Unknown';

export interface MemberStatus {
  readonly name: string;
  readonly pod: string;
  readonly node: string | undefined;
  readonly role: 'primary' | 'standby' | 'none';
  readonly state: string;
  readonly streaming: boolean;
  readonly timeline: number | undefined;
  readonly lagBytes: number | undefined;
  readonly templateCurrent: boolean | 'unknown';
  readonly pendingRestart: readonly string[];
}

export interface DecisionRecord {
  readonly at: string;
  readonly ruleId: string;
  readonly because: string;
  readonly action?: string;
  readonly done?: boolean;
  readonly detail?: string;
}

export interface ClusterStatus {
  readonly statusVersion: number;
  readonly phase: Phase;
  /** The next failure of any one member costs no acknowledged data and no person's work. */
  readonly highlyAvailable: boolean;
  /** Why not, in one sentence. */
  readonly why: string;
  readonly primary: string | undefined;
  readonly synchronousStandbys: readonly string[];
  readonly members: readonly MemberStatus[];
  /** What planned work is doing or waiting for. */
  readonly doing: { readonly ruleId: string; readonly because: string } | undefined;
  /** The last switchover that a person asked for by annotation, and what came of it. */
  readonly lastRequest: RequestAnswer | undefined;
  readonly refusedParameters: Readonly<Record<string, string>>;
  readonly missingRights: readonly string[];
  readonly decisions: readonly DecisionRecord[];
}

/** The document under `databases.json`: databases and roles against what is declared. */
export interface DatabasesStatus {
  readonly inStep: boolean;
  readonly checkedAt: string;
  /** What is not as declared, and why. */
  readonly problems: readonly SqlProblem[];
  readonly logins: readonly LoginStatus[];
}

/** A role whose password is in step with its Secret. */
export interface LoginStatus {
  readonly role: string;
  /** Whose password the Secret holds: the role's, or that of one of the two that take turns. */
  readonly login: string;
  readonly secret: string;
  readonly rotatedAt: string | undefined;
  readonly nextRotation: string | undefined;
}
