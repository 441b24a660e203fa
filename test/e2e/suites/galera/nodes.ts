/** A member's node loses its power, or the network. */
import type { V1Pod } from '@kubernetes/client-node';
import type { Fixture } from './fixture';
import { PATIENCE_S } from './fixture';
import { nodeOf } from '../../kit/postgres';
import type { Measure, Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';

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

/** The one that is cut off must not serve: what a client beside it got acknowledged has to be there afterwards. */
async function cut(context: SuiteContext, fixture: Fixture, victim: () => Promise<V1Pod>): Promise<Sample> {
  const { faults } = context;
  if (!faults.available) throw new Skip(faults.whyNot);
  await fixture.ready(context);
  const pod = await victim();
  const node = nodeOf(pod);
  await fixture.writerAwayFrom(node);
  const inside = fixture.anotherClient(context);
  await inside.start({ node });
  await inside.untilWriting(PATIENCE_S);
  await faults.alone(async () => {
    await faults.node('cut', node);
    try {
      await fixture.writer.untilWriting(PATIENCE_S);
      await fixture.cluster.untilGone(pod, PATIENCE_S);
    } finally {
      await faults.node('heal', node);
    }
  });
  await inside.untilWriting(PATIENCE_S);
  await inside.mark([]);
  const sample = await fixture.outcome(context);
  const seen = await inside.verify();
  await inside.delete();
  return { ...sample, acked: sample.acked! + seen.acked, lost: sample.lost! + seen.lost };
}
