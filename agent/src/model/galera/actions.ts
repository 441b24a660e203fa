/** What the agent can do in a Galera cluster. Each carries the facts that must still hold when it is carried out. */
import type { Position } from './position.js';
import type { Grant } from './record.js';

/** One member's process, at its address. */
export interface MemberTarget {
  readonly member: string;
  readonly ip: string;
  readonly bootId: string;
}

/** Has survivors take a dead process out of the group now, instead of after their time-outs. */
export interface EvictFromGroup {
  readonly kind: 'EvictFromGroup';
  readonly cluster: string;
  readonly member: string;
  readonly gcomm: string;
  /** Its own word was the proof: it is asked once more, since what it told may be old. */
  readonly said: MemberTarget | undefined;
  readonly via: readonly MemberTarget[];
}

/** Stores a grant by compare-and-swap. From then on, and only then, its member may begin. */
export interface StoreGrant {
  readonly kind: 'StoreGrant';
  readonly cluster: string;
  readonly grant: Omit<Grant, 'id' | 'at'>;
  readonly recordVersion: string;
  /** All on whose word the decision rests. */
  readonly witnesses: readonly MemberTarget[];
  /** A person asked for it in these words. */
  readonly request?: string;
}

/** Lets the member of the last grant begin: a new component that may write. */
export interface CarryOutGrant {
  readonly kind: 'CarryOutGrant';
  readonly cluster: string;
  readonly target: MemberTarget;
  readonly grant: Grant;
}

export interface ConfirmBootstrap {
  readonly kind: 'ConfirmBootstrap';
  readonly cluster: string;
  readonly target: MemberTarget;
  readonly recordVersion: string;
}

/** The member's data stay beside; it joins with a copy of another one's. */
export interface SetDataAside {
  readonly kind: 'SetDataAside';
  readonly cluster: string;
  readonly target: MemberTarget;
  readonly position: Position | undefined;
  /** A member that serves. */
  readonly via: MemberTarget;
}

/** Ends the server and not the member: it recovers its position and waits. */
export interface StopServer {
  readonly kind: 'StopServer';
  readonly cluster: string;
  readonly target: MemberTarget;
}

export interface SetWriter {
  readonly kind: 'SetWriter';
  readonly cluster: string;
  readonly from: string | undefined;
  readonly to: string;
  readonly epoch: number;
  readonly via: MemberTarget;
  /** A person asked for it in these words. */
  readonly request?: string;
}

export interface RefuseGaleraRequest {
  readonly kind: 'RefuseGaleraRequest';
  readonly cluster: string;
  readonly what: 'writer' | 'bootstrap';
  readonly request: string;
  readonly reason: string;
}

export interface ReplaceMember {
  readonly kind: 'ReplaceMember';
  readonly cluster: string;
  readonly member: string;
  readonly pod: string;
  readonly uid: string;
  /** Asked once more before the Pod goes; none where the member tells nothing and nobody loses anything. */
  readonly via: MemberTarget | undefined;
}

/** New settings that need a new start of the server, in the same Pod. */
export interface RestartServer {
  readonly kind: 'RestartServer';
  readonly cluster: string;
  readonly target: MemberTarget;
}

export interface RetireMember {
  readonly kind: 'RetireMember';
  readonly cluster: string;
  readonly statefulSet: string;
  readonly resourceVersion: string;
  readonly via: MemberTarget;
}

/** Takes a proxy on a lost node out of the Services; its Deployment makes another one. */
export interface EvictProxy {
  readonly kind: 'EvictProxy';
  readonly cluster: string;
  readonly pod: string;
  readonly uid: string;
}

export type GaleraAction = EvictFromGroup | StoreGrant | CarryOutGrant | ConfirmBootstrap | SetDataAside | StopServer
| SetWriter | RefuseGaleraRequest | ReplaceMember | RestartServer | RetireMember | EvictProxy;
