/** A member dies and its node lives. */
import type { V1Pod } from '@kubernetes/client-node';
import type { Fixture } from './fixture';
import { PATIENCE_S } from './fixture';
import { nameOf, restartsOf } from '../../kit/postgres';
import type { Goal, Measure, Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

const gap = (goal: Goal): Measure => ({ what: 'longest time without an acknowledged write', goal });
/** It comes back by what the others have kept for it, without a copy. */
const BACK: Measure = { what: 'from the kill until the member is synced again', goal: { p50: 15 } };

const STALL: Measure = { what: 'longest time without an acknowledged write while the member comes back' };

export function killEvents(fixture: Fixture): SuiteEvent[] {
  const event = (name: string, goal: Goal, victim: () => Promise<V1Pod>): SuiteEvent => ({
    name, measure: gap(goal), figures: { memberBack: BACK }, run: (context) => kill(context, fixture, victim),
  });
  return [
    event('writer-killed', { p50: 1.2 }, () => fixture.cluster.writer()),
    event('nonwriter-killed', { p50: 1 }, () => fixture.cluster.nonWriter()),
    { name: 'member-back', measure: BACK, figures: { stall: STALL }, run: (context) => back(context, fixture) },
  ];
}

/** The stall is what the others notice of its return. */
async function back(context: SuiteContext, fixture: Fixture): Promise<Sample> {
  await fixture.ready(context);
  const pod = await fixture.cluster.nonWriter();
  const start = performance.now();
  await fixture.cluster.kill(pod);
  await untilRestarted(fixture, pod);
  await fixture.cluster.untilIn(['joining', 'synced'], pod, PATIENCE_S);
  await fixture.mark('rw');
  await fixture.cluster.untilIn(['synced'], pod, PATIENCE_S);
  const value = (performance.now() - start) / 1000;
  const { value: stall, ...sample } = await fixture.outcome(context);
  return { ...sample, value, figures: { stall } };
}

async function kill(context: SuiteContext, fixture: Fixture, victim: () => Promise<V1Pod>): Promise<Sample> {
  await fixture.ready(context);
  const pod = await victim();
  const start = performance.now();
  await fixture.cluster.kill(pod);
  await untilRestarted(fixture, pod);
  await fixture.cluster.untilIn(['synced'], pod, PATIENCE_S);
  const memberBack = (performance.now() - start) / 1000;
  return { ...(await fixture.outcome(context)), figures: { memberBack } };
}

export async function untilRestarted(fixture: Fixture, before: V1Pod): Promise<void> {
  await waitFor({ what: `${nameOf(before)} to be started again`, seconds: PATIENCE_S, everyMs: 100 }, async () => {
    const now = (await fixture.cluster.members()).find((pod) => nameOf(pod) === nameOf(before));
    const isNew = now && (now.metadata?.uid !== before.metadata?.uid || restartsOf([now]) > restartsOf([before]));
    return isNew ? undefined : 'it is the old one';
  });
}
