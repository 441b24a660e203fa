/** A standby for which the write-ahead log is gone: nothing but a new copy helps, and nobody is there to ask for it. */
import type { V1Pod } from '@kubernetes/client-node';
import type { Fixture } from './fixture';
import { PATIENCE_S, podObject } from './fixture';
import type { Obj } from '../../kit/cluster-api';
import { nameOf, roleOf } from '../../kit/postgres';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

/** Segments of 4 MiB: more than what the primary of a volume of this size keeps (wal_keep_size, a twentieth). */
const SEGMENTS = 64;

export function rebuildEvent(fixture: Fixture): SuiteEvent {
  return {
    name: 'member-rebuilt',
    measure: { what: 'from the start of a standby that the primary no longer has the WAL for until it streams', goal: { max: 30 } },
    run: (context) => rebuild(context, fixture),
  };
}

async function rebuild(context: SuiteContext, fixture: Fixture): Promise<Sample> {
  await fixture.ready(context);
  const { cluster, agent } = fixture;
  const standby = (await cluster.members()).find((pod) => roleOf(pod) === 'replica')!;
  await scale(context, fixture, standby, 0);
  await forgetWal(fixture, standby);
  await scale(context, fixture, standby, 1);
  const start = performance.now();
  await cluster.untilStreaming(nameOf(standby), PATIENCE_S);
  const value = (performance.now() - start) / 1000;
  if (!(await agent.hasDecided(cluster.name, 'rebuild-standstill'))) throw new Error('it streams, but nobody has rebuilt it: the WAL was not gone');
  return { ...(await fixture.outcome(context)), value };
}

async function scale(context: SuiteContext, fixture: Fixture, pod: V1Pod, replicas: number): Promise<void> {
  const { namespace, cluster } = fixture;
  const name = nameOf(pod).replace(/-0$/, '');
  const statefulSet = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name } } as Obj;
  await context.api.merge(statefulSet, namespace, { spec: { replicas } });
  await waitFor({ what: `${name} to have ${replicas} Pods`, seconds: PATIENCE_S }, async () => {
    const count = (await cluster.members()).filter((member) => nameOf(member) === podObject(pod).metadata.name).length;
    return count === replicas ? undefined : `it has ${count}`;
  });
}

/** In one go, before Patroni makes the slot anew. */
async function forgetWal({ cluster }: Fixture, standby: V1Pod): Promise<void> {
  const primary = await cluster.primary();
  const slot = nameOf(standby).replaceAll('-', '_');
  await cluster.sql(primary, `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${slot}'`);
  const step = "SELECT pg_logical_emit_message(true, 'e2e', 'x'), pg_switch_wal()";
  await cluster.sql(primary, `DO $$ BEGIN FOR i IN 1..${SEGMENTS} LOOP PERFORM * FROM (${step}) AS step; END LOOP; END $$`);
  await cluster.sql(primary, 'CHECKPOINT');
}
