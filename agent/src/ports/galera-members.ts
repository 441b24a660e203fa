/** The HTTP interface of members of a Galera cluster. */
import type { HeldConnection } from './network.js';

export interface MemberAnswer {
  readonly status: number;
  readonly body: string;
}

export interface MemberRequest {
  readonly path: string;
  readonly body: object;
  /** Signs the request. */
  readonly key: string;
}

export interface MemberStream {
  /** A state, or an empty line as a sign of life. */
  line(text: string): void;
  /** Called once: the member's script has gone, or could not be reached. */
  ended(): void;
}

export interface GaleraMembers {
  /** What the member says of itself. Rejects when there is no answer in time. */
  state(host: string, timeoutMs: number): Promise<string>;
  /** The same at each change, for as long as the connection stands. */
  watch(host: string, stream: MemberStream): HeldConnection;
  post(host: string, request: MemberRequest, timeoutMs: number): Promise<MemberAnswer>;
}
