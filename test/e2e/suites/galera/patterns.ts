/**
 * Real crashes in random order: members lose their server or all of their processes, also while they still come back
 * from the last time. A seed gives the same pattern again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import * as fc from 'fast-check';
import type { Fixture } from './fixture';
import { MEMBERS, PATIENCE_S } from './fixture';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';

const LONGEST_PAUSE_MS = 8000;
/** The first seed; each run takes the next one. */
const SEED = Number(process.env.E2E_SEED ?? 1);

type Blow = 'server' | 'container' | undefined;

/** All blows of a step fall at once; one for each member. */
interface Step {
  readonly afterMs: number;
  readonly blows: readonly Blow[];
}

const BLOW = fc.oneof(
  { weight: 5, arbitrary: fc.constant(undefined) },
  { weight: 3, arbitrary: fc.constant('server' as const) },
  { weight: 2, arbitrary: fc.constant('container' as const) },
);
const STEP: fc.Arbitrary<Step> = fc.record({
  afterMs: fc.integer({ min: 0, max: LONGEST_PAUSE_MS }),
  blows: fc.array(BLOW, { minLength: MEMBERS, maxLength: MEMBERS, size: 'max' }).filter((blows) => blows.some(Boolean)),
});
const STEPS = fc.array(STEP, { minLength: 3, maxLength: 6, size: 'max' });

/** A container dies once at most, since the kubelet waits longer before each new start; its server again and again. */
function patternOf(seed: number): Step[] {
  const [steps] = fc.sample(STEPS, { seed, numRuns: 1 }) as [Step[]];
  const died = (member: number, before: number) => steps.slice(0, before).some(({ blows }) => blows[member] === 'container');
  return steps.map(({ afterMs, blows }, index) => (
    { afterMs, blows: blows.map((blow, member) => (blow === 'container' && died(member, index) ? 'server' : blow)) }
  ));
}

function told(seed: number, steps: readonly Step[]): string {
  const blows = (step: Step) => step.blows.flatMap((blow, member) => (blow ? `${blow} ${member + 1}` : [])).join(', ');
  return `seed ${seed}: ${steps.map((step) => `+${(step.afterMs / 1000).toFixed(1)} ${blows(step)}`).join('; ')}`;
}

export function patternEvents(fixture: Fixture): SuiteEvent[] {
  return [{
    name: 'crash-patterns',
    measure: { what: 'longest time without an acknowledged write' },
    figures: { whole: { what: 'from the last crash until all members are in step' } },
    run: (context, run) => crash(context, fixture, SEED + run - 1),
  }];
}

async function crash(context: SuiteContext, fixture: Fixture, seed: number): Promise<Sample> {
  await fixture.ready(context);
  const pods = await fixture.cluster.members();
  const steps = patternOf(seed);
  for (const { afterMs, blows } of steps) {
    await pause(afterMs);
    await Promise.all(blows.map((blow, member) => strike(fixture, pods[member]!, blow)));
  }
  const whole = await fixture.cluster.untilSettled(MEMBERS, PATIENCE_S);
  const sample = await fixture.outcome(context);
  return { ...sample, figures: { whole }, note: `${told(seed, steps)}; ${sample.note}` };
}

/** One that is not there, or whose server does not run, has nothing to lose. */
async function strike({ cluster }: Fixture, pod: V1Pod, blow: Blow): Promise<void> {
  if (blow === 'server') await cluster.killServer(pod);
  if (blow === 'container') await cluster.kill(pod);
}
