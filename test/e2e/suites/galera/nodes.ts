/** A member's node loses its power, or the network. */
import type { V1Pod } from '@kubernetes/client-node';
import type { Fixture } from './fixture';
import { PATIENCE_S } from './fixture';
import { nameOf, nodeOf } from '../../kit/postgres';
import type { Measure, Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

const GAP: Measure = { what: 'longest time without an acknowledged write', goal: { p50: 3 } };
const CUT: Measure = { what: 'longest time without an acknowledged write while a member is off the network' };

export function nodeEvents(fixture: Fixture): SuiteEvent[] {
  return [
    { name: 'node-lost', measure: GAP, run: (context) => lost(context, fixture) },
    { name: 'network-cut', measure: CUT, run: (context) => cut(context, fixture, () => fixture.cluster.nonWriter()) },
    { name: 'network-cut-writer', measure: CUT, run: (context) => cut(context, fixture, () => fixture.cluster.writer()) },
  ];
}

async function lost(context: SuiteContext, fixture: Fixture): Promise<Sample> {
  const { faults } = context;
  if (!faults.available) throw new Skip(faults.whyNot);
  await fixture.ready(context);
  const node = nodeOf(await fixture.cluster.writer());
  await fixture.writerAwayFrom(node);
  await faults.alone(async () => {
    await faults.node('kill', node);
    try {
      await fixture.writer.untilWriting(PATIENCE_S);
    } finally {
      await faults.node('start', node);
    }
  });
  return fixture.outcome(context);
}

/** The one that is cut off must not serve: no write is acknowledged in a minority. */
async function cut(context: SuiteContext, fixture: Fixture, victim: () => Promise<V1Pod>): Promise<Sample> {
  const { faults } = context;
  if (!faults.available) throw new Skip(faults.whyNot);
  await fixture.ready(context);
  const pod = await victim();
  const node = nodeOf(pod);
  await fixture.writerAwayFrom(node);
  await faults.alone(async () => {
    await faults.node('cut', node);
    try {
      await fixture.writer.untilWriting(PATIENCE_S);
      await onlyOneComponent(fixture, pod);
    } finally {
      await faults.node('heal', node);
    }
  });
  return fixture.outcome(context);
}

/** By those that can be asked: the group goes on without the member that is cut off, and no smaller than a majority. */
async function onlyOneComponent(fixture: Fixture, away: V1Pod): Promise<void> {
  await waitFor({ what: `the group to go on without ${nameOf(away)}`, seconds: PATIENCE_S }, async () => {
    const others = (await fixture.cluster.members()).filter((pod) => nameOf(pod) !== nameOf(away));
    const states = await Promise.all(others.map((pod) => fixture.cluster.state(pod)));
    const apart = states.find(({ wsrep }) => wsrep?.clusterStatus !== 'Primary' || wsrep.clusterSize !== others.length);
    return apart ? `${apart.member} sees ${apart.wsrep?.clusterSize ?? 0} members, ${apart.wsrep?.clusterStatus ?? 'no status'}` : undefined;
  });
}
