/** Changes that go wrong or go far: a template that never comes up, members that leave, an agent that dies at work. */
import type { V1Pod } from '@kubernetes/client-node';
import type { Fixture } from './fixture';
import { MEMBERS, PATIENCE_S, podObject } from './fixture';
import { isReady } from '../../kit/cluster-api';
import { nameOf } from '../../kit/postgres';
import type { Measure, Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

const NO_IMAGE = 'cdk8s-everest/postgres:does-not-exist';
const MORE = 5;
const GAP: Measure = { what: 'longest time without an acknowledged write', goal: { max: 1.5 } };
/** The liveness probe of a pooler ends a pause after a minute, whoever made it. */
const POOLED: Measure = { what: 'longest time that a client of the pooler waited for a row', goal: { max: 60 } };

export function changeEvents(fixture: Fixture): SuiteEvent[] {
  return [
    { name: 'rollout-stuck', measure: GAP, run: (context) => stuck(context, fixture) },
    { name: 'scale-5-3', measure: GAP, run: (context) => scale(context, fixture) },
    { name: 'agent-killed-in-pause', measure: POOLED, noErrors: true, run: (context) => killedInPause(context, fixture) },
  ];
}

async function stuck(context: SuiteContext, fixture: Fixture): Promise<Sample> {
  await fixture.ready(context);
  const { cluster } = fixture;
  const before = await cluster.members();
  await fixture.apply(context, { image: NO_IMAGE });
  await waitFor({ what: 'a member that does not come up', seconds: PATIENCE_S }, async () => (
    (await cluster.members()).some(lacksImage) ? undefined : 'all members run'
  ));
  await fixture.agent.untilDoing(cluster.name, 'rollout-waits', PATIENCE_S);
  const down = (await cluster.members()).filter((pod) => !isReady(pod)).map(nameOf);
  if (down.length !== 1) throw new Error(`${down.join(', ')} are down instead of one member`);
  await fixture.apply(context, {});
  await replacedOnly(fixture, before, down[0]!);
  return fixture.outcome(context);
}

function lacksImage(pod: V1Pod): boolean {
  const reason = pod.status?.containerStatuses?.[0]?.state?.waiting?.reason ?? '';
  return /Image/.test(reason);
}

/** The template is the old one again, so that the others have nothing to change. */
async function replacedOnly(fixture: Fixture, before: readonly V1Pod[], name: string): Promise<void> {
  await fixture.settled();
  const uids = new Set(before.map((pod) => pod.metadata?.uid));
  const renewed = (await fixture.cluster.members()).filter((pod) => !uids.has(pod.metadata?.uid)).map(nameOf);
  if (renewed.join() !== name) throw new Error(`replaced were ${renewed.join(', ')} instead of ${name} alone`);
}

/** The primary is a member that is to go. */
async function scale(context: SuiteContext, fixture: Fixture): Promise<Sample> {
  await fixture.ready(context);
  const { cluster, agent } = fixture;
  await fixture.apply(context, { instances: MORE });
  await fixture.settled(MORE);
  const last = (await cluster.members()).find((pod) => nameOf(pod) === `${cluster.name}-${MORE}-0`)!;
  await agent.switchover(cluster, last);
  await fixture.settled(MORE);
  await fixture.mark();
  await fixture.apply(context, { instances: MEMBERS });
  await waitFor({ what: `${MEMBERS} members`, seconds: PATIENCE_S, everyMs: 500 }, async () => {
    const { length } = await cluster.members();
    return length === MEMBERS ? undefined : `there are ${length}`;
  });
  return fixture.outcome(context);
}

async function killedInPause(context: SuiteContext, fixture: Fixture): Promise<Sample> {
  await fixture.ready(context, ['pooled']);
  const { cluster, agent } = fixture;
  const holder = await agent.leaseHolder();
  await agent.request(cluster.name, 'any');
  await waitFor({ what: 'a pause of the poolers', seconds: PATIENCE_S, everyMs: 20 }, async () => (
    (await agent.hasPaused(cluster.name)) ? undefined : 'the agent has announced none'
  ));
  await context.api.delete([podObject(holder)], fixture.namespace, 0);
  return fixture.outcome(context, 'pooled');
}
