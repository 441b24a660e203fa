/**
 * The promise: a table that was dropped by accident is back. A writer never stops; the table is dropped; a clone is
 * made of a moment before. Every row that was acknowledged before the moment is there, none that came after.
 */
import type { V1Pod } from '@kubernetes/client-node';
import type { BackupFixture } from './fixture';
import { PATIENCE_S, untilWritable, writableMember } from './fixture';
import { EDGES, dropTable, type Edge, type Moment, type Range } from './targets';
import { RecoveryTarget } from '../../../../lib';
import type { PostgresUnderTest } from '../../kit/postgres';
import { nameOf } from '../../kit/postgres';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

/** The server's clock as a target has it. */
export const NOW = "to_char(clock_timestamp() AT TIME ZONE 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";

export function undoEvents(fixture: BackupFixture): SuiteEvent[] {
  return [
    {
      name: 'drop-table-undone',
      measure: { what: 'from apply until the clone with the table takes writes' },
      run: (context, run) => dropAndUndo(context, fixture, EDGES[(run - 1) % EDGES.length]!),
    },
    {
      name: 'clone-writable',
      measure: { what: 'from apply until a client of the Service of a clone of three members has written', goal: { p50: 15 } },
      figures: { whole: { what: 'from apply until all of its members stream' }, backedUp: { what: 'from apply until its own full backup is made' } },
      run: (context) => cloneWritable(context, fixture),
    },
    {
      name: 'killed-in-recovery',
      measure: { what: 'from the kill of the member that restores until the clone takes writes' },
      run: (context) => killedInRecovery(context, fixture),
    },
  ];
}

async function dropAndUndo(context: SuiteContext, fixture: BackupFixture, edge: Edge): Promise<Sample> {
  await fixture.ready(context);
  if (edge.failover === 'before') await failOver(fixture);
  const moment = await remember(fixture);
  if (edge.failover === 'after') await failOver(fixture);
  const drop = await dropTable(fixture);
  await fixture.writer.untilWriting(PATIENCE_S);
  const target = edge.target(moment, drop);
  const wanted = target.type === 'latest' ? await remember(fixture) : moment;
  // As archive_timeout does within a minute.
  await fixture.untilArchived();
  const start = performance.now();
  return fixture.withClone(context, { target, instances: 1 }, async (clone) => {
    await untilWritable(clone, PATIENCE_S);
    const value = (performance.now() - start) / 1000;
    if (edge.gone) await expectGone(clone, moment);
    const found = wanted === moment && edge.gone ? {} : await compare(clone, wanted, target);
    return { value, ...found, note: edge.name };
  });
}

/** What is acknowledged now is committed before the clock is read. */
export async function remember(fixture: BackupFixture): Promise<Moment> {
  const { ranges } = await fixture.writer.status();
  const [at = '', table = ''] = (await fixture.sql(`SELECT ${NOW}, 'e2e_writes'::regclass::oid`)).split('|');
  const first = Number(await fixture.sql('SELECT min(id) FROM e2e_writes'));
  // Rows of earlier runs went with their tables.
  const acked = ranges.filter(([, to]) => to >= first).map(([from, to]): Range => [Math.max(from, first), to]);
  return { acked, at, table };
}

/** The container of the primary dies; another member takes over on a new timeline. */
export async function failOver(fixture: BackupFixture): Promise<void> {
  const { cluster } = fixture;
  const timeline = await cluster.timeline();
  await cluster.killContainer(await cluster.primary());
  await waitFor({ what: 'another timeline', seconds: PATIENCE_S }, async () => ((await cluster.timeline()) > timeline ? undefined : 'it is the old one'));
  await fixture.writer.untilWriting(PATIENCE_S);
}

/** It may write already, and not have its label yet. */
async function leading(clone: PostgresUnderTest): Promise<V1Pod> {
  return clone.primary().catch(async () => (await writableMember(clone)) ?? (await clone.members())[0]!);
}

async function expectGone(clone: PostgresUnderTest, { table }: Moment): Promise<void> {
  const found = await clone.sql(await leading(clone), "SELECT to_regclass('e2e_writes')::oid", 'app');
  if (found === table) throw new Error('the table is there, and the target is its end');
}

/** The data at the target, in the member that recovers: they can be read, and not written. */
export async function lookAt(clone: PostgresUnderTest, pod: V1Pod, moment: Moment): Promise<void> {
  const table = await clone.sql(pod, "SELECT 'e2e_writes'::regclass::oid, pg_is_in_recovery()", 'app');
  if (table !== `${moment.table}|t`) throw new Error(`what can be looked at is ${table} instead of ${moment.table}|t`);
  const written = await clone.sql(pod, 'CREATE TABLE nothing ()', 'app').then(() => true, () => false);
  if (written) throw new Error('the data that are looked at were written to');
}

/** `begun`: since then the recovered cluster itself may have got rows. */
export async function compare(clone: PostgresUnderTest, moment: Moment, { type, value }: RecoveryTarget,
  begun = 'infinity'): Promise<Pick<Sample, 'acked' | 'lost'>> {
  const pod = await leading(clone);
  const ask = (query: string) => clone.sql(pod, query, 'app');
  const table = await ask("SELECT 'e2e_writes'::regclass::oid");
  if (table !== moment.table) throw new Error(`${nameOf(pod)} has another table of that name: it was recovered past the drop`);
  const later = type === 'time' ? await ask(`SELECT count(*) FROM e2e_writes WHERE at > '${value}' AND at < '${begun}'`) : '0';
  if (later !== '0') throw new Error(`${later} rows in ${nameOf(pod)} were written after ${value}`);
  const counts = await Promise.all(moment.acked.map(async ([first, last]) => {
    const found = Number(await ask(`SELECT count(*) FROM e2e_writes WHERE client = 'rw' AND id BETWEEN ${first} AND ${last}`));
    return { acked: last - first + 1, lost: last - first + 1 - found };
  }));
  const total = (key: 'acked' | 'lost') => counts.reduce((sum, count) => sum + count[key], 0);
  return { acked: total('acked'), lost: total('lost') };
}

/** Every acknowledged row is in a clone of the archive's end; `volume` where its log needs more than a clone has. */
export async function latestRecovered(
  context: SuiteContext, fixture: BackupFixture, volume?: string,
): Promise<Pick<Sample, 'acked' | 'lost'>> {
  const moment = await remember(fixture);
  await fixture.untilArchived();
  const target = RecoveryTarget.latest();
  return fixture.withClone(context, { target, instances: 1, ...(volume ? { volume } : {}) }, async (clone) => {
    await untilWritable(clone, PATIENCE_S);
    return compare(clone, moment, target);
  });
}

async function cloneWritable(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await fixture.ready(context);
  // What it would write is not what is measured.
  await fixture.writer.mark([]);
  try {
    return await cloneQuietly(context, fixture);
  } finally {
    await fixture.writer.mark();
  }
}

async function cloneQuietly(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await fixture.untilArchived();
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  const wanted = { target: RecoveryTarget.latest(), instances: 3, archived: true };
  return fixture.withClone(context, wanted, async (clone) => {
    await fixture.untilServed(context, clone, PATIENCE_S);
    const value = seconds();
    await waitFor({ what: 'the first full backup', seconds: PATIENCE_S, everyMs: 1000 }, async () => {
      const info = await clone.execIn(await clone.primary(), ['pgbackrest', '--stanza=db', '--output=json', 'info']);
      return info.stdout.includes('"label"') ? undefined : 'there is none';
    });
    const backedUp = seconds();
    await clone.untilSettled(3, PATIENCE_S);
    return { value, figures: { backedUp, whole: seconds() } };
  });
}

/** The member that restores dies with all of its processes; what it had restored is no data. */
async function killedInRecovery(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await fixture.ready(context);
  const moment = await remember(fixture);
  await fixture.untilArchived();
  const target = RecoveryTarget.latest();
  return fixture.withClone(context, { target, instances: 3 }, async (clone) => {
    const first = `${clone.name}-1-0`;
    await fixture.untilRestores(context, clone);
    const start = performance.now();
    await clone.killContainer((await clone.members()).find((pod) => nameOf(pod) === first)!);
    await untilWritable(clone, PATIENCE_S);
    return { value: (performance.now() - start) / 1000, ...await compare(clone, moment, target) };
  });
}
