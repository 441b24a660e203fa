/** All members end at once: nobody is left who could be joined, and one of them has to begin again. */
import type { Fixture } from './fixture';
import { MEMBERS, PATIENCE_S } from './fixture';
import { untilRestarted } from './kills';
import { nodeOf } from '../../kit/postgres';
import type { Measure, Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';

const GAP: Measure = { what: 'longest time without an acknowledged write' };
const SERVING: Measure = { what: 'from all containers being back until a row is acknowledged', goal: { p50: 15 } };
const MEASURES = { measure: GAP, figures: { serving: SERVING } };

export function crashEvents(fixture: Fixture): SuiteEvent[] {
  return [
    { name: 'all-killed', ...MEASURES, run: (context) => allKilled(context, fixture) },
    { name: 'all-nodes-lost', ...MEASURES, run: (context) => allNodesLost(context, fixture) },
  ];
}

/** `since`: when all containers were back. */
async function served(context: SuiteContext, fixture: Fixture, since: number): Promise<Sample> {
  await fixture.writer.untilWriting(PATIENCE_S);
  const serving = (performance.now() - since) / 1000;
  return { ...(await fixture.outcome(context)), figures: { serving } };
}

/** Under load, so that members end at different positions. */
async function allKilled(context: SuiteContext, fixture: Fixture): Promise<Sample> {
  await fixture.ready(context);
  const pods = await fixture.cluster.members();
  await Promise.all(pods.map((pod) => fixture.cluster.kill(pod)));
  await Promise.all(pods.map((pod) => untilRestarted(fixture, pod)));
  return served(context, fixture, performance.now());
}

/** With their agents and their proxies. */
async function allNodesLost(context: SuiteContext, fixture: Fixture): Promise<Sample> {
  const { faults } = context;
  if (!faults.available) throw new Skip(faults.whyNot);
  await fixture.ready(context);
  const pods = await fixture.cluster.members();
  const nodes = [...new Set(pods.map(nodeOf))];
  if (nodes.length !== MEMBERS) throw new Error('two members share a node');
  // The clients go too: what they had been promised is asked first.
  await fixture.writer.stop();
  await faults.alone(async () => {
    for (const node of nodes) await faults.node('kill', node);
    for (const node of nodes) await faults.node('start', node);
  });
  await Promise.all(pods.map((pod) => untilRestarted(fixture, pod)));
  const back = performance.now();
  await fixture.writer.start();
  return served(context, fixture, back);
}
