/** The document in `<cluster>-status` of a Galera cluster. */
import type { Position } from './position.js';
import type { RequestAnswer } from '../operations.js';
import type { DecisionRecord } from '../status.js';

export type GaleraPhase =
  /** All members are synced. */
  | 'Healthy'
  /** There is a writer; something is missing that would be needed for the next failure. */
  | 'Degraded'
  /** Planned work is under way. */
  | 'Updating'
  /** No member may write; the agent or Galera is at work. */
  | 'NoPrimary'
  /** No member may write, or two components do, and a person has to decide. */
  | 'NeedsDecision'
  /** The first member is being made. */
  | 'Forming'
  | 'ContractRefused'
  | 'Unknown';

export interface GaleraMemberStatus {
  readonly name: string;
  readonly pod: string;
  readonly node: string | undefined;
  readonly role: 'writer' | 'member' | 'none';
  readonly state: string;
  readonly why: string;
  readonly synced: boolean;
  /** The table by which a person decides who begins. */
  readonly position: Position | undefined;
  readonly bootstrap: number;
  readonly templateCurrent: boolean | 'unknown';
  readonly pendingRestart: readonly string[];
}

export interface GaleraHealth {
  readonly phase: GaleraPhase;
  /** The next loss of any one node costs no acknowledged data and no person's work. */
  readonly highlyAvailable: boolean;
  readonly why: string;
  readonly writer: string | undefined;
  readonly members: readonly GaleraMemberStatus[];
}

export interface GaleraStatus extends GaleraHealth {
  readonly statusVersion: number;
  readonly doing: { readonly ruleId: string; readonly because: string } | undefined;
  readonly lastRequest: RequestAnswer | undefined;
  readonly missingRights: readonly string[];
  readonly decisions: readonly DecisionRecord[];
}
