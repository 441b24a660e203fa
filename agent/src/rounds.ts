import type { Clock } from './ports/clock.js';

/**
 * A loop that looks again and again. A change cuts its rest short, and one that comes during a look is not lost.
 * Changes that follow each other within `bunchMs` lead to one look.
 */
export class Rounds {
  private changed = new AbortController();

  constructor(private readonly clock: Clock, private readonly bunchMs = 0) {}

  /** Something changed: look now. */
  nudge(): void {
    this.changed.abort();
  }

  /** Until the signal. Each look says when the next one is due, in milliseconds, or nothing: then after a change. */
  async run(signal: AbortSignal, look: () => Promise<number | undefined>): Promise<void> {
    signal.addEventListener('abort', () => this.nudge(), { once: true });
    while (!signal.aborted) {
      this.changed = new AbortController();
      const pause = await look();
      await (pause === undefined ? this.change() : this.clock.sleep(pause, this.changed.signal));
      if (this.bunchMs > 0) await this.clock.sleep(this.bunchMs, signal);
    }
  }

  private async change(): Promise<void> {
    const { signal } = this.changed;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
