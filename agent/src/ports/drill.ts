/** What the container that restores tells, as it comes. */
export interface DrillFeed {
  /**
   * Messages until the stream ends, the process there with it; nothing where nobody connects in time.
   * Ends early when the signal aborts.
   */
  messages(limitMs: number, signal: AbortSignal): AsyncIterable<unknown>;
}
