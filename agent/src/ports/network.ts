/** Bare TCP, which tells a dead process from a silent node. */

/**
 * `refuses` is a reset by a living kernel: nothing listens there. `silent` is a time-out or an unreachable host:
 * nothing is known about the process. `unknown`: not tried.
 */
export type Reach = 'answers' | 'refuses' | 'silent' | 'unknown';

export interface HeldConnection {
  close(): void;
}

export interface Network {
  probe(host: string, port: number, timeoutMs: number): Promise<Reach>;
  /** Opens a connection and keeps it; `ended` is called once, when it breaks or could not be made. */
  hold(host: string, port: number, ended: () => void): HeldConnection;
}
