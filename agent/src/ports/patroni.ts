/** Patroni's REST API. */

export interface PatroniAnswer {
  readonly status: number;
  readonly body: string;
}

export interface Patroni {
  /** Rejects when there is no answer in time. */
  get(host: string, path: string, timeoutMs: number): Promise<PatroniAnswer>;
  send(host: string, request: { method: 'POST' | 'PATCH'; path: string; body: object }, timeoutMs: number): Promise<PatroniAnswer>;
}
