/** What the agent can do. Small, idempotent; each carries the facts that must still hold when it is carried out. */

export type ClearProof = 'container-dead' | 'pod-removed' | 'pod-gone' | 'process-gone' | 'streams-ended' | 'node-lost' | 'given-up';

export interface ClearLeader {
  readonly kind: 'ClearLeader';
  readonly cluster: string;
  readonly pod: string;
  /** The incarnation that is proven dead; another one of that name makes the action void. */
  readonly uid: string;
  readonly ip: string;
  readonly proof: ClearProof;
  /**
   * With `node-lost`, `given-up` and `streams-ended`: the only version of the lease that may be cleared, since a
   * renewal is a sign of life.
   */
  readonly leaderVersion: string | undefined;
}

/** Takes a fence away, once enough voters have let go of the member that was fenced off, so that Patroni elects. */
export interface ReleaseLease {
  readonly kind: 'ReleaseLease';
  readonly cluster: string;
  /** The member that was fenced off, and its incarnation. */
  readonly pod: string;
  readonly uid: string;
}

export interface RemoveStaleRole {
  readonly kind: 'RemoveStaleRole';
  readonly cluster: string;
  readonly pod: string;
  readonly uid: string;
}

/** Has a member's Patroni do its round now rather than when the next one is due. */
export interface WakePatroni {
  readonly kind: 'WakePatroni';
  readonly cluster: string;
  readonly pod: string;
}

export type FailoverAction = ClearLeader | ReleaseLease | RemoveStaleRole | WakePatroni;
