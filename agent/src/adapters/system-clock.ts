import type { Clock } from '../ports/clock.js';

export class SystemClock implements Clock {
  nowMs(): number {
    return performance.now();
  }

  wall(): Date {
    return new Date();
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      signal?.addEventListener('abort', end, { once: true });
    });
  }

  random(): number {
    return Math.random();
  }
}
