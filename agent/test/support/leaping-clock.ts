import type { Clock } from '../../src/ports/clock.js';

/** Nobody waits: each sleep moves the clock on by itself. */
export class LeapingClock implements Clock {
  now = 0;
  nowMs = () => this.now;
  wall = () => new Date(Date.UTC(2026, 0, 1) + this.now);
  random = () => 0.5;
  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (!signal?.aborted) this.now += milliseconds;
  }
}
