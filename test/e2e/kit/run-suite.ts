/** Runs a suite's events in their order, each as often as asked for. */
import type { Report } from './report';
import { median } from './report';
import type { Sample, Suite, SuiteContext, SuiteEvent } from './suite';
import { Skip } from './suite';

export async function runSuite(suite: Suite, context: SuiteContext, report: Report,
  only?: readonly string[]): Promise<void> {
  try {
    await suite.setUp?.(context);
    for (const event of suite.events) {
      if (!only || only.includes(event.name)) await runEvent(event, context, report);
    }
  } catch (problem) {
    report.failure('the suite itself', textOf(problem));
  } finally {
    await suite.tearDown?.(context).catch((problem) => report.failure('clearing up', textOf(problem)));
  }
}

async function runEvent(event: SuiteEvent, context: SuiteContext, report: Report): Promise<void> {
  const samples: Sample[] = [];
  const problems: string[] = [];
  for (let run = 1; run <= context.runs && problems.length === 0; run++) {
    report.progress(`${event.name}: run ${run} of ${context.runs}`);
    try {
      const sample = await event.run(context, run);
      samples.push(sample);
      report.progress(`${event.name}: ${sample.seconds.toFixed(2)} s${sample.note ? `, ${sample.note}` : ''}`);
    } catch (problem) {
      if (problem instanceof Skip) return report.skip(event.name, problem.message);
      problems.push(textOf(problem));
    }
  }
  const goal = typeof event.goal === 'function' ? event.goal() : event.goal;
  report.event(event.name, samples, goal, [...problems, ...missed(event, samples, goal)]);
}

function missed(event: SuiteEvent, samples: readonly Sample[], goal: number | undefined): string[] {
  const p50 = median(samples.map((sample) => sample.seconds));
  const lost = samples.reduce((total, sample) => total + (sample.lost ?? 0), 0);
  return [
    ...(goal !== undefined && p50 !== null && p50 > goal ? [`median ${p50.toFixed(2)} s, goal ${goal.toFixed(2)} s`] : []),
    ...(lost > 0 && !event.mayLose ? [`${lost} acknowledged rows are missing`] : []),
  ];
}

function textOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}
