/** Waiting for a condition, never for an amount of time. */
import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions {
  /** Completes the sentence "waited N s for …". */
  readonly what: string;
  readonly seconds: number;
  readonly everyMs?: number;
}

/** `missing` gives undefined when the condition holds, else what is still missing. Gives the seconds that it took. */
export async function waitFor(options: WaitOptions, missing: () => Promise<string | undefined>): Promise<number> {
  const start = performance.now();
  let last: string | undefined = 'nothing was seen yet';
  for (;;) {
    last = await missing().catch((problem: unknown) => `${problem instanceof Error ? problem.message : String(problem)}`);
    const seconds = (performance.now() - start) / 1000;
    if (last === undefined) return seconds;
    if (seconds > options.seconds) throw new Error(`waited ${options.seconds} s for ${options.what}; at the end: ${last}`);
    await pause(options.everyMs ?? 200);
  }
}

/** Seconds since a reading of `performance.now()`. */
export const since = (start: number): number => (performance.now() - start) / 1000;
