/** What is known about one cluster at one moment. Values only; what is not known says so. */
import type { Fence } from './fence.js';
import type { Reach } from '../ports/network.js';

export type { Reach };

/** `unknown` is an answer of its own: rules read it as "do not act", never as "fine" or "dead". */
export type Maybe<T> = T | 'unknown';

export type ContainerState = 'running' | 'terminated' | 'waiting' | 'unknown';

export interface PodFacts {
  readonly name: string;
  readonly uid: string;
  readonly ip: string | undefined;
  readonly node: string | undefined;
  /** The node's address. */
  readonly hostIp?: string | undefined;
  readonly deleting: boolean;
  readonly ready: boolean;
  readonly container: ContainerState;
  /** The kubelet's word for why the container waits or ended: `CrashLoopBackOff`, `ErrImagePull` … */
  readonly containerReason: string | undefined;
  /** The container was started (and passed its start-up probe) at least once. */
  readonly started: boolean;
  readonly role: string | undefined;
  /** Template revision the Pod was made from (`controller-revision-hash`). */
  readonly revision: string | undefined;
  /** What Patroni wrote about the member: its own view, possibly old. */
  readonly status: PatroniStatus | undefined;
  /** Why the member does not begin, in its own words. */
  readonly waitingFor?: string | undefined;
}

/** The annotation `status` that Patroni keeps on its Pod. */
export interface PatroniStatus {
  readonly state: string | undefined;
  readonly role: string | undefined;
  readonly timeline: number | undefined;
  readonly streaming: boolean;
  readonly location: number | undefined;
  readonly pendingRestart: readonly PendingChange[];
  readonly apiUrl: string | undefined;
}

/** A setting that waits for a restart of this member. */
export interface PendingChange {
  readonly parameter: string;
  readonly from: string;
  readonly to: string;
}

/** `<cluster>-leader`. */
export interface LeaderFacts {
  /** The holder; undefined while it is free or fenced. */
  readonly pod: string | undefined;
  readonly fence: Fence | undefined;
  readonly resourceVersion: string;
  readonly renewTime: string | undefined;
  readonly acquireTime: string | undefined;
  /** Addresses of all members when the leader last wrote; kept when their Pods are gone. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** `<cluster>-sync`. */
export interface SyncFacts {
  readonly leader: string | undefined;
  readonly standbys: readonly string[];
  /** Votes of other synchronous standbys that a candidate needs; 0 outside quorum mode. */
  readonly quorum: number;
}

/** Patroni's dynamic configuration as it is in force, as far as decisions need it. */
export interface DynamicFacts {
  readonly paused: boolean;
  readonly synchronous: boolean;
  readonly ttlMs: number;
}

/** A member's own answer, asked just now. */
export interface MemberReport {
  readonly pod: string;
  readonly takenAtMs: number;
  readonly state: string;
  readonly role: 'primary' | 'standby_leader' | 'replica' | 'other';
  /** Whether its WAL receiver is connected to a primary. */
  readonly streaming: boolean;
  readonly timeline: number | undefined;
  readonly receivedLocation: number | undefined;
  /** Of a standby: how far it has got with what it received. */
  readonly replayedLocation: number | undefined;
  /** Of a primary: the members that it streams to, and that have caught up. */
  readonly streamsTo: readonly string[];
  /** Of a primary: the end of its write-ahead log. */
  readonly location: number | undefined;
  /** It reads the write-ahead log from the archive. */
  readonly readsArchive: boolean;
  readonly pendingRestart: readonly PendingChange[];
}

/** Both ports of one address, tried just now. */
export interface ReachFacts {
  readonly pod: string;
  readonly ip: string;
  readonly takenAtMs: number;
  readonly rest: Reach;
  readonly sql: Reach;
  /** How many times in a row both ports refused in this look; one answer of any kind ends the row. */
  readonly refusals?: number;
}

/** The connection held to the leader's REST port. */
export type LinkState = 'held' | 'broken' | 'none';

export interface FailoverSnapshot {
  readonly cluster: string;
  readonly link: LinkState;
  readonly leader: Maybe<LeaderFacts>;
  readonly sync: Maybe<SyncFacts>;
  readonly dynamic: Maybe<DynamicFacts>;
  /** A switchover away from the holder of the lease was asked for (`<cluster>-failover`). */
  readonly switchoverAsked: boolean;
  /** `unknown` while the watch on Pods is broken. */
  readonly pods: Maybe<readonly PodFacts[]>;
  /** Pods that the contract lists and that may become primary. */
  readonly promotable: readonly string[];
  /** Asynchronous mode: a silent holder may be given up. */
  readonly preferAvailability: boolean;
  /** Of the process that holds the lease, where it was asked for. */
  readonly reach: ReachFacts | undefined;
  /** Of members that carry the label of a primary without holding the lease. */
  readonly staleReach: readonly ReachFacts[];
  readonly reports: readonly MemberReport[];
}
