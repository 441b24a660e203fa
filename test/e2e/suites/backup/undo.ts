/**
 * The promise: a table that was dropped by accident is back. A writer never stops; the table is dropped; a clone is
 * made of a moment before. Every row that was acknowledged before the moment is there, none that came after.
 */
import type { BackupFixture } from './fixture';
import { PATIENCE_S, untilWritable } from './fixture';
import { RecoveryTarget } from '../../../../lib';
import type { PostgresUnderTest } from '../../kit/postgres';
import { nameOf } from '../../kit/postgres';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

/** The server's clock as a target has it. */
const NOW = "to_char(clock_timestamp() AT TIME ZONE 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";

export type Range = readonly [first: number, last: number];

/** What must come back, and what tells of the moment. */
export interface Moment {
  /** Acknowledged before it. */
  readonly acked: readonly Range[];
  /** Server's clock. */
  readonly at: string;
  /** Of the table that is dropped: the writer makes another one of the same name. */
  readonly table: string;
}

interface Drop {
  readonly lsn: string;
  readonly xid: string;
  readonly restorePoint: string;
}

interface Edge {
  readonly name: string;
  /** A failover, before the moment that is kept or after it. */
  readonly failover?: 'before' | 'after';
  readonly target: (moment: Moment, drop: Drop) => RecoveryTarget;
}

const time = ({ at }: Moment) => RecoveryTarget.time(at);

/** Each run takes the next one; 20 runs see all of them twice and more. */
const EDGES: readonly Edge[] = [
  { name: 'a time, one second before', target: time },
  { name: 'the transaction that dropped it, exclusive', target: (_, { xid }) => RecoveryTarget.transaction(xid, { exclusive: true }) },
  { name: 'the place in the log before', target: (_, { lsn }) => RecoveryTarget.lsn(lsn) },
  { name: 'a restore point before', target: (_, { restorePoint }) => RecoveryTarget.restorePoint(restorePoint) },
  { name: 'a time before a failover', failover: 'after', target: time },
  { name: 'a time on the timeline of a failover', failover: 'before', target: time },
  { name: 'a time, exclusive', target: ({ at }) => RecoveryTarget.time(at, { exclusive: true }) },
];

export function undoEvents(fixture: BackupFixture): SuiteEvent[] {
  return [
    {
      name: 'drop-table-undone',
      measure: { what: 'from apply until the clone with the table takes writes' },
      run: (context, run) => dropAndUndo(context, fixture, EDGES[(run - 1) % EDGES.length]!),
    },
    {
      name: 'clone-writable',
      measure: { what: 'from apply until a clone of three members takes writes, in a quiet database', goal: { p50: 15 } },
      figures: { whole: { what: 'from apply until all of its members stream' }, backedUp: { what: 'from apply until its own full backup is made' } },
      run: (context) => cloneWritable(context, fixture),
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
  // As archive_timeout does within a minute.
  await fixture.sql('SELECT pg_switch_wal()');
  const start = performance.now();
  const target = edge.target(moment, drop);
  return fixture.withClone(context, { target, instances: 1 }, async (clone) => {
    await untilWritable(clone, PATIENCE_S);
    const value = (performance.now() - start) / 1000;
    return { value, ...await compare(clone, moment, target), note: edge.name };
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

/** A second later, as a person's mistake: in a transaction of its own, with all that a target can name. */
export async function dropTable(fixture: BackupFixture): Promise<Drop> {
  await new Promise((done) => { setTimeout(done, 1000); });
  const restorePoint = `before-drop-${process.hrtime.bigint()}`;
  const text = await fixture.sql(`SELECT pg_create_restore_point('${restorePoint}'); SELECT pg_current_wal_insert_lsn(); `
    + 'BEGIN; SELECT pg_current_xact_id(); DROP TABLE e2e_writes; COMMIT');
  const [, lsn = '', xid = ''] = text.split('\n');
  return { lsn, xid, restorePoint };
}

/** The container of the primary dies; another member takes over on a new timeline. */
async function failOver(fixture: BackupFixture): Promise<void> {
  const { cluster } = fixture;
  const timeline = await cluster.timeline();
  await cluster.killContainer(await cluster.primary());
  await waitFor({ what: 'another timeline', seconds: PATIENCE_S }, async () => ((await cluster.timeline()) > timeline ? undefined : 'it is the old one'));
  await fixture.writer.untilWriting(PATIENCE_S);
}

/** `begun`: since then the recovered cluster itself may have got rows. */
export async function compare(clone: PostgresUnderTest, moment: Moment, { type }: RecoveryTarget,
  begun = 'infinity'): Promise<Pick<Sample, 'acked' | 'lost'>> {
  const pod = await clone.primary().catch(async () => (await clone.members())[0]!);
  const ask = (query: string) => clone.sql(pod, query, 'app');
  const table = await ask("SELECT 'e2e_writes'::regclass::oid");
  if (table !== moment.table) throw new Error(`${nameOf(pod)} has another table of that name: it was recovered past the drop`);
  const later = await ask(`SELECT count(*) FROM e2e_writes WHERE at > '${moment.at}' AND at < '${begun}'`);
  if (type === 'time' && later !== '0') throw new Error(`${later} rows in ${nameOf(pod)} were written after ${moment.at}`);
  const counts = await Promise.all(moment.acked.map(async ([first, last]) => {
    const found = Number(await ask(`SELECT count(*) FROM e2e_writes WHERE client = 'rw' AND id BETWEEN ${first} AND ${last}`));
    return { acked: last - first + 1, lost: last - first + 1 - found };
  }));
  const total = (key: 'acked' | 'lost') => counts.reduce((sum, count) => sum + count[key], 0);
  return { acked: total('acked'), lost: total('lost') };
}

async function cloneWritable(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await fixture.ready(context);
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  const wanted = { target: RecoveryTarget.latest(), instances: 3, archived: true };
  return fixture.withClone(context, wanted, async (clone) => {
    await untilWritable(clone, PATIENCE_S);
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
