/** What the planned work of one cluster is decided from, and what it can do. Values only. */
import type { WakePatroni } from './actions.js';
import type { ArchiveStatus } from './backup-status.js';
import type { LeaderFacts, Maybe, MemberReport, PodFacts, SyncFacts } from './facts.js';
import type { ContractDocument } from '../../../src/contract/document.js';

export interface StatefulSetFacts {
  readonly name: string;
  readonly resourceVersion: string;
  readonly replicas: number;
  /** Revision of the template as it is now; undefined until the controller has seen the latest change. */
  readonly updateRevision: string | undefined;
}

/** Patroni's dynamic configuration, whole. */
export type DynamicConfig = Readonly<Record<string, unknown>>;

export interface OperationsSnapshot {
  readonly cluster: string;
  readonly contract: ContractDocument;
  readonly leader: Maybe<LeaderFacts>;
  readonly sync: Maybe<SyncFacts>;
  readonly config: Maybe<DynamicConfig>;
  /** As the agent's leader wrote it last. */
  readonly archive?: ArchiveStatus | undefined;
  /** A switchover or failover that was asked for and is not done. */
  readonly failoverAsked: Maybe<boolean>;
  readonly pods: Maybe<readonly PodFacts[]>;
  readonly statefulSets: Maybe<readonly StatefulSetFacts[]>;
  /** What a person asks for on `<cluster>-status`: a member's name, or `any`. */
  readonly switchoverRequest: string | undefined;
  /** Nodes that take no new Pods; empty where nodes are not watched. */
  readonly cordoned: readonly string[];
  /** New values that PostgreSQL does not take; `unknown` while nobody could say. */
  readonly refusals: Maybe<readonly Refusal[]>;
  /** Standbys that do not get on, by what was seen over some time. */
  readonly standstills: readonly Standstill[];
  /** Asked just now. Empty where nothing is to be done and nobody needs to be asked. */
  readonly reports: readonly MemberReport[];
}

/**
 * Why a standby does not stream. `diverged`: it has replayed more than its timeline has in common with the primary's.
 * `wal-gone`: the primary no longer has what it needs next, and it reads no archive. `not-started`: PostgreSQL ended or
 * did not come up. `unclear`: none of these, and it has replayed nothing for a while.
 */
export type StandstillCause = 'diverged' | 'wal-gone' | 'not-started' | 'unclear';

export interface Standstill {
  readonly pod: string;
  readonly uid: string;
  readonly cause: StandstillCause;
  /** How long this has been so, without a break. */
  readonly forMs: number;
}

/** A parameter that is not in force although its file has been read, and why. */
export interface Refusal {
  readonly parameter: string;
  readonly error: string;
}

/** Kept in the status ConfigMap, so that the next leader of the agent goes on from there. */
export interface OperationsMemory {
  /** PostgreSQL parameters that the agent has set; those that leave the contract are then removed. */
  readonly managedParameters?: readonly string[];
  /** Parameter values as they were before the last change, to go back to when PostgreSQL refuses the new ones. */
  readonly before?: Readonly<Record<string, string | null>>;
  /** Parameters that were taken back, with the value that was refused. The contract must say something else first. */
  readonly refused?: Readonly<Record<string, string>>;
  /** When parameters were last changed; members take them up within a round of Patroni. */
  readonly patchedAtMs?: number;
  /** When the last disruptive action was carried out; things need a moment to show. */
  readonly lastActionAtMs?: number;
  /** A member that did not come up after a restart for new values. */
  readonly restartFailed?: string;
  /** Written before poolers are paused, and taken back after they have resumed. */
  readonly poolersPaused?: true;
  /** What was done for standbys that did not get on; forgotten as soon as they stream. */
  readonly mended?: Readonly<Record<string, Mending>>;
  /** Patroni is woken to count on standbys that stream. */
  readonly waking?: { readonly sinceMs: number; readonly lastMs: number };
  /** The last switchover that a person asked for, and what came of it. */
  readonly lastRequest?: RequestAnswer;
}

export type Mending = 'restarted' | 'rebuilt';

export interface RequestAnswer {
  readonly asked: string;
  readonly done: boolean;
  readonly detail: string;
}

export interface EvictPod {
  readonly kind: 'EvictPod';
  readonly cluster: string;
  readonly pod: string;
  readonly uid: string;
  /** Only true for a cluster of one member, whose primary can be replaced in no other way. */
  readonly evenPrimary: boolean;
}

export interface Switchover {
  readonly kind: 'Switchover';
  readonly cluster: string;
  readonly from: string;
  readonly to: string;
  /** Asked for by a person in these words; the request is taken off first, so that it is carried out once. */
  readonly request?: string;
}

export interface RefuseRequest {
  readonly kind: 'RefuseRequest';
  readonly cluster: string;
  readonly request: string;
  readonly reason: string;
}

export interface ScaleToZero {
  readonly kind: 'ScaleToZero';
  readonly cluster: string;
  readonly statefulSet: string;
  readonly pod: string;
  readonly resourceVersion: string;
}

export interface PatchConfig {
  readonly kind: 'PatchConfig';
  readonly cluster: string;
  readonly via: string;
  readonly patch: Readonly<Record<string, unknown>>;
  /** The configuration that the patch was made for; a hand edit meanwhile makes it void. */
  readonly expected: DynamicConfig;
}

export interface RestartMember {
  readonly kind: 'RestartMember';
  readonly cluster: string;
  readonly pod: string;
  readonly uid: string;
  readonly role: 'primary' | 'replica';
}

/** Copies a standby's data anew from the primary. What it had is gone, so it is proven useless before. */
export interface RebuildMember {
  readonly kind: 'RebuildMember';
  readonly cluster: string;
  readonly pod: string;
  readonly uid: string;
}

/** Ends a pause of poolers that an agent has left behind. */
export interface ResumePoolers {
  readonly kind: 'ResumePoolers';
  readonly cluster: string;
}

export type OperationsAction = EvictPod | Switchover | ScaleToZero | PatchConfig | RestartMember | RebuildMember
| ResumePoolers | RefuseRequest | WakePatroni;
