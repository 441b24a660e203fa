/** Time. `nowMs` only goes forward and has no meaning outside the process; `wall` is for people. */
export interface Clock {
  nowMs(): number;
  wall(): Date;
  /** Resolves early when the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** In [0, 1): spreads retries of several replicas. */
  random(): number;
}
