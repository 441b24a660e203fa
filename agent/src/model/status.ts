/** The document in `<cluster>-status`: what people, `kubectl everest` and the agent's own next leader read. */

import type { RequestAnswer } from './operations.js';

export const STATUS_VERSION = 1;
export const STATUS_KEY = 'status.json';
export const MEMORY_KEY = 'memory.json';

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
