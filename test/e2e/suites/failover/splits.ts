/** Faults in which nobody is dead for sure. At no time may two members take writes. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientName, Fixture } from './fixture';
import { PATIENCE_S } from './fixture';
import { isAnotherLife } from './kills';
import { nodeOf } from '../../kit/postgres';
import type { Measure, Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import { waitFor } from '../../kit/wait';
import { Witnesses } from '../../kit/witnesses';

/** Longer than all of Patroni's own time-outs together. */
const FROZEN_API_S = 60;
/** Shorter than the lease, and longer than what an assisted failover takes. */
const APART_S = 20;
const GAP: Measure = { what: 'longest time without an acknowledged write' };
const CLIENTS: readonly ClientName[] = ['rw', 'fresh'];

type Fault = (node: string) => Promise<void>;

interface Apart {
  readonly node: string;
  readonly away: 'cut' | 'freeze';
  readonly back: 'heal' | 'thaw';
}

export function splitEvents(fixture: Fixture): SuiteEvent[] {
  const apart = (name: string, away: Apart['away'], back: Apart['back']): SuiteEvent => ({
    name, measure: GAP,
    run: (context) => witnessed(context, fixture, (node) => nodeApart(context, { node, away, back })),
  });
  return [
    { name: 'api-frozen', measure: GAP, run: (context) => witnessed(context, fixture, () => apiFrozen(context)) },
    apart('network-cut', 'cut', 'heal'),
    apart('node-frozen', 'freeze', 'thaw'),
    { name: 'agent-dead', measure: GAP, run: (context) => witnessed(context, fixture, () => agentDead(fixture)) },
    {
      name: 'clock-step', measure: GAP,
      run: async () => { throw new Skip('all nodes of the testbed share the clock of one kernel, so no node\'s clock can be set alone'); },
    },
  ];
}

/** The fault is told the primary's node; no client of ours but the witnesses runs there. */
async function witnessed(context: SuiteContext, fixture: Fixture, fault: Fault): Promise<Sample> {
  const { api, faults } = context;
  if (!faults.available) throw new Skip(faults.whyNot);
  await fixture.ready(context, CLIENTS);
  const node = await settledPrimaryNode(fixture);
  const witnesses = await Witnesses.start(api, fixture.cluster, `${fixture.cluster.name}-app`);
  try {
    await fixture.writerAwayFrom(node);
    await faults.alone(async () => {
      await fixture.afterOthers(node);
      await fault(node);
    });
    const { clients, ...sample } = await fixture.outcome(context);
    const told = await witnesses.tell(Object.values(clients).flatMap((client) => client.servers));
    if (told.conflicts.length > 0) throw new Error(`two primaries: ${told.conflicts.join('; ')}`);
    const note = `fresh connections waited ${clients.fresh!.longestGap.toFixed(2)} s; witnesses had ${told.acked} rows acknowledged`;
    return { ...sample, acked: sample.acked! + told.acked, lost: sample.lost! + told.lost, note };
  } finally {
    await witnesses.stop();
  }
}

/** After a frozen API the controllers take nodes for lost, and their Pods for not Ready, until these have renewed. */
async function settledPrimaryNode({ cluster }: Fixture): Promise<string> {
  let node = '';
  await waitFor({ what: `the primary of ${cluster.name} to stay Ready`, seconds: PATIENCE_S }, async () => {
    node = nodeOf(await cluster.primary());
    return undefined;
  });
  return node;
}

async function apiFrozen({ faults }: SuiteContext): Promise<void> {
  await faults.api('freeze');
  try {
    await pause(FROZEN_API_S * 1000); // the length of the fault, not a wait for something
  } finally {
    await faults.api('thaw');
  }
}

async function nodeApart({ faults }: SuiteContext, how: Apart): Promise<void> {
  await faults.node(how.away, how.node);
  try {
    await pause(APART_S * 1000); // the length of the fault, not a wait for something
  } finally {
    await faults.node(how.back, how.node);
  }
}

/** Patroni alone carries on, in its own time. */
async function agentDead({ agent, cluster }: Fixture): Promise<void> {
  await agent.scale(0);
  try {
    const primary = await cluster.primary();
    await cluster.killContainer(primary);
    await waitFor({ what: 'a primary after the kill', seconds: PATIENCE_S }, async () => {
      const now = await cluster.primary();
      return now.metadata?.name !== primary.metadata?.name || isAnotherLife(now, primary) ? undefined : 'the dead one has the label';
    });
  } finally {
    await agent.scale(2);
  }
}
