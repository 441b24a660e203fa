/** JSON lines on stdout for machines, progress on stderr for people. */
import type { Reporter, Sample } from './suite';

export interface Line {
  readonly suite: string;
  readonly event: string;
  readonly runs: number;
  readonly p50: number | null;
  readonly max: number | null;
  readonly lost: number;
  readonly errors: number;
  readonly goal: number | null;
}

export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return null;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function lineOf(suite: string, event: string, samples: readonly Sample[], goal?: number): Line {
  const seconds = samples.map((sample) => sample.seconds);
  return {
    suite,
    event,
    runs: samples.length,
    p50: rounded(median(seconds)),
    max: rounded(seconds.length === 0 ? null : Math.max(...seconds)),
    lost: sum(samples.map((sample) => sample.lost ?? 0)),
    errors: sum(samples.map((sample) => sample.errors ?? 0)),
    goal: rounded(goal ?? null),
  };
}

export class Report implements Reporter {
  private passed = 0;
  private failed = 0;
  private skipped = 0;

  constructor(private readonly suite: string) {}

  progress(text: string): void {
    process.stderr.write(`${new Date().toISOString().slice(11, 23)} ${text}\n`);
  }

  figure(event: string, samples: Sample[]): void {
    this.print(lineOf(this.suite, event, samples));
  }

  event(event: string, samples: readonly Sample[], goal: number | undefined, problems: readonly string[]): void {
    this.print(lineOf(this.suite, event, samples, goal));
    problems.forEach((problem) => this.progress(`FAILED ${event}: ${problem}`));
    if (problems.length === 0) this.passed++; else this.failed++;
  }

  skip(event: string, reason: string): void {
    process.stdout.write(JSON.stringify({ ...lineOf(this.suite, event, []), skipped: reason }) + '\n');
    this.skipped++;
  }

  /** For what is no event, such as the suite's own preparation. */
  failure(what: string, problem: string): void {
    this.progress(`FAILED ${what}: ${problem}`);
    this.failed++;
  }

  /** Prints the totals and gives the exit code. */
  close(): number {
    process.stdout.write(`${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped\n`);
    return this.failed === 0 ? 0 : 1;
  }

  private print(line: Line): void {
    process.stdout.write(JSON.stringify(line) + '\n');
  }
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1000) / 1000;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
