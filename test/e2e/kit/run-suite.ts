/** Runs a suite's events in their order, each as often as asked for. */
import type { Line, Report } from './report';
import { lineOf, overGoal } from './report';
import { sum } from './statistics';
import type { Sample, Suite, SuiteContext, SuiteEvent } from './suite';
import { Skip } from './suite';

export interface RunOptions {
  readonly only?: readonly string[] | undefined;
  /** Figures are reported and not judged: for machines that are busy with other things. */
  readonly anyTiming?: boolean;
  /** Aborted when a person stops the suite: no further run begins. */
  readonly signal?: AbortSignal;
}

export async function runSuite(suite: Suite, context: SuiteContext, report: Report,
  options: RunOptions = {}): Promise<void> {
  try {
    await suite.setUp?.(context);
    for (const event of suite.events) {
      const wanted = !options.signal?.aborted && (!options.only || options.only.includes(event.name));
      if (wanted) await runEvent(event, { suite, context, report, options });
    }
  } catch (problem) {
    report.failure('the suite itself', textOf(problem));
  } finally {
    const failed = (problem: unknown) => report.failure('clearing up', textOf(problem));
    await context.faults.heal().catch(failed);
    await suite.tearDown?.(context).catch(failed);
  }
}

interface Running {
  readonly suite: Suite;
  readonly context: SuiteContext;
  readonly report: Report;
  readonly options: RunOptions;
}

async function runEvent(event: SuiteEvent, running: Running): Promise<void> {
  const { suite, context, report, options } = running;
  const samples: Sample[] = [];
  const problems: string[] = [];
  const runs = event.once ? 1 : context.runs;
  for (let run = 1; run <= runs && problems.length === 0; run++) {
    report.progress(`${event.name}: run ${run} of ${runs}`);
    try {
      const sample = await event.run(context, run);
      samples.push(sample);
      report.progress(`${event.name}: ${told(event, sample)}`);
    } catch (problem) {
      if (problem instanceof Skip) return report.skip(event.name, event.measure, problem.message);
      problems.push(await lookedInto(event, problem, running));
    }
    // What was torn down under an event says nothing about it.
    if (options.signal?.aborted) return;
  }
  const lines = linesOf(suite.name, event, samples);
  const late = (line: Line) => (options.anyTiming ? [] : overGoal(line));
  report.event(lines[0]!, [...problems, ...missed(event, samples), ...late(lines[0]!)]);
  lines.slice(1).forEach((line) => report.event(line, late(line)));
}

/** Tells what a person would look at while it is still there. */
async function lookedInto(event: SuiteEvent, problem: unknown, { suite, context, report }: Running): Promise<string> {
  report.progress(`${event.name} failed: ${textOf(problem)}`);
  report.progress(await suite.diagnose?.(context).catch(textOf) ?? 'nothing is known about the failure');
  return textOf(problem);
}

function told(event: SuiteEvent, { value, figures = {}, acked, lost = 0, note }: Sample): string {
  const others = Object.entries(figures).map(([name, figure]) => `${name} ${figure.toFixed(2)}`);
  const rows = acked === undefined ? [] : [`${lost} of ${acked} rows lost`];
  return [`${value.toFixed(2)} ${event.measure.unit ?? 's'}`, ...others, ...rows, ...(note ? [note] : [])].join(', ');
}

/** The event's own line first, then one for each figure. */
function linesOf(suite: string, event: SuiteEvent, samples: readonly Sample[]): Line[] {
  const figures = Object.entries(event.figures ?? {}).map(([name, measure]) => {
    const values = samples.flatMap((sample) => sample.figures?.[name] ?? []).map((value) => ({ value }));
    return lineOf(suite, `${event.name}.${name}`, measure, values);
  });
  return [lineOf(suite, event.name, event.measure, samples), ...figures];
}

function missed(event: SuiteEvent, samples: readonly Sample[]): string[] {
  const lost = sum(samples.map((sample) => sample.lost ?? 0));
  const errors = sum(samples.map((sample) => sample.errors ?? 0));
  return [
    ...(lost > 0 && !event.mayLose ? [`${lost} acknowledged rows are missing`] : []),
    ...(errors > 0 && event.noErrors ? [`${errors} errors of clients`] : []),
  ];
}

function textOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}
