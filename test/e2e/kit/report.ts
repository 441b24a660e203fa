/** JSON lines on stdout for machines, progress and a table on stderr for people. */
import type { Goal, Measure, Reporter, Sample } from './measure';
import { largest, median, rounded, sum } from './statistics';

export interface Line {
  readonly suite: string;
  readonly event: string;
  /** What p50 and max are of, and in which unit. */
  readonly measured: string;
  readonly unit: string;
  readonly runs: number;
  readonly p50: number | null;
  readonly max: number | null;
  readonly goal: number | null;
  readonly goalMax: number | null;
  /** Rows that clients had been promised and that were looked for. */
  readonly acked: number;
  readonly lost: number;
  readonly errors: number;
}

export function goalOf({ goal }: Measure): Goal {
  return (typeof goal === 'function' ? goal() : goal) ?? {};
}

export function lineOf(suite: string, event: string, measure: Measure, samples: readonly Sample[]): Line {
  const values = samples.map((sample) => sample.value);
  const goal = goalOf(measure);
  return {
    suite,
    event,
    measured: measure.what,
    unit: measure.unit ?? 's',
    runs: samples.length,
    p50: rounded(median(values)),
    max: rounded(largest(values)),
    goal: rounded(goal.p50 ?? null),
    goalMax: rounded(goal.max ?? null),
    acked: sum(samples.map((sample) => sample.acked ?? 0)),
    lost: sum(samples.map((sample) => sample.lost ?? 0)),
    errors: sum(samples.map((sample) => sample.errors ?? 0)),
  };
}

/** What was measured above its goal, in words. */
export function overGoal({ p50, max, goal, goalMax, unit }: Line): string[] {
  return [
    ...(p50 !== null && goal !== null && p50 > goal ? [`median ${p50} ${unit}, goal ${goal} ${unit}`] : []),
    ...(max !== null && goalMax !== null && max > goalMax ? [`maximum ${max} ${unit}, goal ${goalMax} ${unit}`] : []),
  ];
}

type Outcome = 'passed' | 'failed' | 'skipped' | 'measured';

export class Report implements Reporter {
  private readonly rows: Array<{ line: Line; outcome: Outcome; remark: string }> = [];

  constructor(private readonly suite: string) {}

  progress(text: string): void {
    process.stderr.write(`${new Date().toISOString().slice(11, 23)} ${text}\n`);
  }

  figure(event: string, measure: Measure, samples: readonly Sample[]): void {
    this.add(lineOf(this.suite, event, measure, samples), 'measured');
  }

  event(line: Line, problems: readonly string[]): void {
    this.add(line, problems.length === 0 ? 'passed' : 'failed', problems.join('; '));
  }

  skip(event: string, measure: Measure, reason: string): void {
    this.add(lineOf(this.suite, event, measure, []), 'skipped', reason);
  }

  /** For what is no event, such as the suite's own preparation. */
  failure(what: string, problem: string): void {
    this.add(lineOf(this.suite, what, { what: 'nothing' }, []), 'failed', problem);
  }

  /** Prints the table and the totals and gives the exit code. */
  close(): number {
    const width = Math.max(...this.rows.map(({ line }) => line.event.length), 5);
    for (const { line, outcome, remark } of this.rows) {
      const figures = `p50 ${line.p50 ?? '-'} max ${line.max ?? '-'} ${line.unit} (goal ${line.goal ?? '-'} / ${line.goalMax ?? '-'})`;
      process.stderr.write(`${line.event.padEnd(width)}  ${outcome.padEnd(8)}  ${line.runs} runs  ${figures}  ` +
        `lost ${line.lost} of ${line.acked}, errors ${line.errors}${remark ? `  ${remark.split('\n')[0]!}` : ''}\n`);
    }
    const count = (outcome: Outcome) => this.rows.filter((row) => row.outcome === outcome).length;
    process.stdout.write(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped\n`);
    return count('failed') === 0 ? 0 : 1;
  }

  private add(line: Line, outcome: Outcome, remark = ''): void {
    this.rows.push({ line, outcome, remark });
    process.stdout.write(JSON.stringify({ ...line, ...(outcome === 'skipped' ? { skipped: remark } : {}) }) + '\n');
    if (outcome === 'failed') this.progress(`FAILED ${line.event}: ${remark}`);
  }
}
