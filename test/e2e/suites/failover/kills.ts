/** The primary dies and its node lives. */
import type { V1Pod } from '@kubernetes/client-node';
import type { ClientName, Fixture } from './fixture';
import { PATIENCE_S, podObject } from './fixture';
import { isReady } from '../../kit/cluster-api';
import { nameOf, restartsOf } from '../../kit/postgres';
import type { Measure, Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

const BACK: Measure = { what: 'from the kill until the old primary streams again', goal: { p50: 10, max: 30 } };

export function killEvents(fixture: Fixture, archived: Fixture): SuiteEvent[] {
  return [
    {
      name: 'container-killed',
      measure: { what: 'longest time without an acknowledged write', goal: { p50: 0.5, max: 2.5 } },
      figures: { backStreaming: BACK },
      run: (context) => kill(context, fixture, { hit: (primary) => fixture.cluster.killContainer(primary) }),
    },
    {
      name: 'pod-force-deleted',
      measure: { what: 'longest time without an acknowledged write', goal: { p50: 0.8, max: 2.5 } },
      figures: { backStreaming: BACK },
      run: (context) => kill(context, fixture, forceDelete(context, fixture)),
    },
    {
      // With its Pod the Service's only endpoint is gone. Linux tells six refusals to a client, then one in a second.
      name: 'pod-force-deleted-calm',
      measure: { what: 'the same for a client that rests for 0.1 s before it connects anew', goal: { p50: 0.8, max: 2.5 } },
      run: (context) => kill(context, fixture, forceDelete(context, fixture), 'calm'),
    },
    {
      name: 'killed-without-storage',
      measure: { what: 'longest time without an acknowledged write, with the archive away', goal: { p50: 0.5, max: 2.5 } },
      figures: { backStreaming: BACK },
      run: (context) => killWithoutStorage(context, archived),
    },
  ];
}

interface Strike {
  hit(primary: V1Pod): Promise<void>;
  /** Before the cluster has to be whole again. */
  mend?(): Promise<void>;
}

function forceDelete(context: SuiteContext, fixture: Fixture): Strike {
  return { hit: (primary) => context.api.delete([podObject(primary)], fixture.namespace, 0) };
}

async function kill(
  context: SuiteContext, fixture: Fixture, strike: Strike, client: ClientName = 'rw',
): Promise<Sample> {
  await fixture.ready(context, [client]);
  const primary = await fixture.cluster.primary();
  const start = performance.now();
  await strike.hit(primary);
  await untilBack(fixture, primary);
  const backStreaming = (performance.now() - start) / 1000;
  await strike.mend?.();
  return { ...(await fixture.outcome(context, client)), figures: { backStreaming } };
}

/** A file of the log is on its way when the primary dies: nobody who takes over or comes back may wait for it. */
async function killWithoutStorage(context: SuiteContext, fixture: Fixture): Promise<Sample> {
  const { faults } = context;
  if (!faults.available) throw new Skip(faults.whyNot);
  const strike: Strike = {
    hit: async (primary) => {
      await faults.storage('cut');
      await fixture.cluster.sql(primary, "SELECT pg_logical_emit_message(true, 'e2e', 'x'), pg_switch_wal()");
      await fixture.cluster.killContainer(primary);
    },
    mend: () => faults.storage('heal'),
  };
  return faults.alone(() => kill(context, fixture, strike).finally(() => faults.storage('heal')));
}

/** It streams from another one, or it was started again in place and has stayed the primary. */
async function untilBack(fixture: Fixture, killed: V1Pod): Promise<void> {
  // Looked at seldom: on a small machine each look takes time from those who fail over.
  await waitFor({ what: 'another primary, or the old one again', seconds: PATIENCE_S, everyMs: 1000 }, async () => {
    const primary = await fixture.cluster.primary();
    if (nameOf(primary) !== nameOf(killed)) return undefined;
    return isReady(primary) && isAnotherLife(primary, killed) ? undefined : `${nameOf(primary)} has the label primary`;
  });
  const primary = await fixture.cluster.primary();
  if (nameOf(primary) !== nameOf(killed)) await fixture.cluster.untilStreaming(nameOf(killed), PATIENCE_S);
}

export function isAnotherLife(pod: V1Pod, before: V1Pod): boolean {
  return pod.metadata?.uid !== before.metadata?.uid || restartsOf([pod]) > restartsOf([before]);
}
