/** The node of the primary loses its power. */
import type { Fixture } from './fixture';
import { PATIENCE_S } from './fixture';
import { nodeOf } from '../../kit/postgres';
import type { Goal, Measure, Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

/** So many rows on connections of their own show that the Service has forgotten the dead member: about 4 s. */
const FRESH_ROWS = 50;

const WORTH_TELLING_S = 0.5;

const gap = (goal: Goal): Measure => ({ what: 'longest time without an acknowledged write', goal });
const FIGURES: Readonly<Record<string, Measure>> = {
  failedAfterMove: { what: 'connections that failed after the first one had reached the new primary', unit: 'connections', goal: { max: 0 } },
  failedStatements: { what: 'statements on fresh connections that failed after that', unit: 'statements' },
};

export function nodeEvents(sync: Fixture, async: Fixture, available: Fixture): SuiteEvent[] {
  return [
    {
      name: 'node-lost-sync',
      measure: gap({ p50: 4.5, max: 8 }),
      figures: FIGURES,
      run: (context) => nodeLost(context, sync, (node, agent) => node !== agent),
    },
    {
      name: 'node-lost-with-agent',
      measure: gap({ p50: 6, max: 10 }),
      figures: FIGURES,
      run: (context) => nodeLost(context, sync, (node, agent) => node === agent),
    },
    {
      name: 'node-lost-async',
      // What Patroni alone takes on the testbed, where this lease of 30 s was measured too.
      measure: gap({ max: 25 }),
      mayLose: true,
      figures: FIGURES,
      run: (context) => nodeLost(context, async, (node, agent) => node !== agent),
    },
    {
      name: 'node-lost-available',
      measure: gap({ max: 8 }),
      mayLose: true,
      figures: FIGURES,
      run: (context) => nodeLost(context, available, (node, agent) => node !== agent),
    },
  ];
}

type Fits = (node: string, agent: string) => boolean;

async function nodeLost(context: SuiteContext, fixture: Fixture, fits: Fits): Promise<Sample> {
  const { faults } = context;
  if (!faults.available) throw new Skip(faults.whyNot);
  await fixture.ready(context, ['rw', 'fresh']);
  await fixture.spread(context);
  const holder = nodeOf(await fixture.agent.leaseHolder());
  const node = await fixture.primaryWhere((each) => fits(each, holder));
  await fixture.writerAwayFrom(node);
  await faults.alone(() => powerLoss(context, fixture, node));
  const { clients, ...sample } = await fixture.outcome(context);
  const { failedAfterMove: { connections, statements }, lastError, gaps } = clients.fresh!;
  const told = `of the fresh client: ${lastError}, gaps ${gaps.filter((seconds) => seconds > WORTH_TELLING_S).join(', ')}`;
  const note = connections + statements > 0 ? `${sample.note}, ${told}` : sample.note;
  const figures = { failedAfterMove: connections, failedStatements: statements };
  return { ...sample, ...(note ? { note } : {}), figures };
}

async function powerLoss({ faults }: SuiteContext, fixture: Fixture, node: string): Promise<void> {
  await fixture.afterOthers(node);
  await faults.node('kill', node);
  try {
    await fixture.writer.untilWriting(PATIENCE_S);
    await untilFreshRows(fixture);
  } finally {
    await faults.node('start', node);
  }
}

async function untilFreshRows(fixture: Fixture): Promise<void> {
  const before = (await fixture.writer.status('fresh')).acked;
  await waitFor({ what: 'rows on connections of their own', seconds: PATIENCE_S, everyMs: 500 }, async () => {
    const rows = (await fixture.writer.status('fresh')).acked - before;
    return rows >= FRESH_ROWS ? undefined : `${rows} of ${FRESH_ROWS}`;
  });
}
