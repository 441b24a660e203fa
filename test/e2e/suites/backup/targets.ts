/** Moments around a mistake, and on the edges of what PostgreSQL tells apart: before, at, and after a commit. */
import type { BackupFixture } from './fixture';
import { PATIENCE_S } from './fixture';
import { RecoveryTarget } from '../../../../lib';

/** What must come back, and what tells of the moment. */
export interface Moment {
  /** Acknowledged before it. */
  readonly acked: readonly Range[];
  /** Server's clock, in ISO 8601 with microseconds. */
  readonly at: string;
  /** Of the table that is dropped: the writer makes another one of the same name. */
  readonly table: string;
}

export type Range = readonly [first: number, last: number];

/** All by which a target can name the mistake, or a place before it. */
export interface Drop {
  readonly lsn: string;
  readonly restorePoint: string;
  /** A transaction of its own, before the drop. */
  readonly earlier: string;
  readonly xid: string;
  /** Of its commit, as the log has them. */
  readonly commitLsn: string;
  readonly commitTime: string;
}

export interface Edge {
  readonly name: string;
  /** A failover, before the moment that is kept or after it. */
  readonly failover?: 'before' | 'after';
  /** The target is the mistake itself, or later. */
  readonly gone?: true;
  readonly target: (moment: Moment, drop: Drop) => RecoveryTarget;
}

const time = ({ at }: Moment) => RecoveryTarget.time(at);
const EXCLUSIVE = { exclusive: true };

/** The same moment as a clock elsewhere shows it, or the next whole unit: nothing before it may be missing. */
function shown(at: string, { hours = 0, digits = 6 }): string {
  const [seconds = '', fraction = ''] = at.replace('Z', '').split('.');
  const unit = 10 ** (6 - digits);
  const micros = Math.ceil(Number(fraction) / unit) * unit;
  const local = new Date(Date.parse(`${seconds}Z`) + Math.floor(micros / 1e6) * 1000 + hours * 3_600_000).toISOString().slice(0, 19);
  const rest = digits === 0 ? '' : `.${String(micros % 1e6).padStart(6, '0').slice(0, digits)}`;
  const [whole, minutes] = [Math.trunc(Math.abs(hours)), Math.round((Math.abs(hours) % 1) * 60)];
  return `${local}${rest}${hours < 0 ? '-' : '+'}${String(whole).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
}

/** Each run takes the next one. */
export const EDGES: readonly Edge[] = [
  { name: 'a time, one second before', target: time },
  { name: 'the transaction that dropped it, exclusive', target: (_, { xid }) => RecoveryTarget.transaction(xid, EXCLUSIVE) },
  { name: 'the place in the log before', target: (_, { lsn }) => RecoveryTarget.lsn(lsn) },
  { name: 'a restore point before', target: (_, { restorePoint }) => RecoveryTarget.restorePoint(restorePoint) },
  { name: 'a time before a failover', failover: 'after', target: time },
  { name: 'a time on the timeline of a failover', failover: 'before', target: time },
  { name: 'a time, exclusive', target: ({ at }) => RecoveryTarget.time(at, EXCLUSIVE) },
  { name: 'the time of its commit, exclusive', target: (_, { commitTime }) => RecoveryTarget.time(commitTime, EXCLUSIVE) },
  { name: 'the time of its commit, inclusive', gone: true, target: (_, { commitTime }) => RecoveryTarget.time(commitTime) },
  { name: 'the place of its commit, exclusive', target: (_, { commitLsn }) => RecoveryTarget.lsn(commitLsn, EXCLUSIVE) },
  { name: 'the place of its commit, inclusive', gone: true, target: (_, { commitLsn }) => RecoveryTarget.lsn(commitLsn) },
  { name: 'the transaction that dropped it, inclusive', gone: true, target: (_, { xid }) => RecoveryTarget.transaction(xid) },
  { name: 'a transaction before it, inclusive', target: (_, { earlier }) => RecoveryTarget.transaction(earlier) },
  { name: 'the transaction, with a time that is before', target: ({ at }, { xid }) => RecoveryTarget.transaction(xid, { ...EXCLUSIVE, after: at }) },
  { name: 'a time in the zone of Kolkata', target: ({ at }) => RecoveryTarget.time(shown(at, { hours: 5.5 })) },
  { name: 'a time in milliseconds, in the zone of Los Angeles', target: ({ at }) => RecoveryTarget.time(shown(at, { hours: -8, digits: 3 })) },
  { name: 'a time in whole seconds', target: ({ at }) => RecoveryTarget.time(shown(at, { digits: 0 })) },
  { name: 'the latest', gone: true, target: () => RecoveryTarget.latest() },
  { name: 'a restore point before a failover', failover: 'after', target: (_, { restorePoint }) => RecoveryTarget.restorePoint(restorePoint) },
  { name: 'the place in the log before, on the timeline of a failover', failover: 'before', target: (_, { lsn }) => RecoveryTarget.lsn(lsn) },
  {
    name: 'the transaction, on the timeline of a failover', failover: 'before',
    target: (_, { xid }) => RecoveryTarget.transaction(xid, EXCLUSIVE),
  },
];

/** A second later, as a person's mistake: in a transaction of its own, with all that a target can name. */
export async function dropTable(fixture: BackupFixture): Promise<Drop> {
  await new Promise((done) => { setTimeout(done, 1000); });
  const restorePoint = `it's before the drop, ${process.hrtime.bigint()}`;
  const text = await fixture.sql('CREATE TABLE IF NOT EXISTS e2e_notes (id xid8); '
    + 'BEGIN; INSERT INTO e2e_notes VALUES (pg_current_xact_id()) RETURNING id; COMMIT; '
    + `SELECT pg_create_restore_point('${restorePoint.replace("'", "''")}'); SELECT pg_current_wal_insert_lsn(); `
    + 'BEGIN; SELECT pg_current_xact_id(); DROP TABLE e2e_writes; COMMIT');
  const [earlier = '', , lsn = '', xid = ''] = text.split('\n');
  return { lsn, xid, restorePoint, earlier, ...await commitOf(fixture, xid, lsn) };
}

/** What the log says of a commit; no function of SQL tells it unless that was asked for before. */
async function commitOf(fixture: BackupFixture, xid: string, from: string): Promise<Pick<Drop, 'commitLsn' | 'commitTime'>> {
  const timeline = await fixture.sql("SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int");
  const command = `pg_waldump --rmgr=Transaction --xid=${xid} --start=${from} --timeline=${timeline} --path=/pgdata/pg17/pg_wal`;
  // It ends with a complaint where the log ends.
  const said = await fixture.inPrimary(['sh', '-c', `TZ=UTC ${command} 2>&1; true`], PATIENCE_S);
  const [, commitLsn, day, clock] = /lsn: (\S+), .*desc: COMMIT (\S+) ([\d:.]+) UTC/.exec(said) ?? [];
  if (!commitLsn) throw new Error(`the log does not tell of transaction ${xid}: ${said.slice(0, 300)}`);
  return { commitLsn, commitTime: `${day}T${clock}Z` };
}
