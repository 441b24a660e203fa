/**
 * VolumeSnapshots as backups, under a writer that never stops: a clone that begins with one has every row that was
 * acknowledged before its moment and none from after; a Job that dies leaves no snapshot that counts, and no member in
 * backup mode.
 */
import type { BackupFixture } from './fixture';
import { PATIENCE_S, untilWritable } from './fixture';
import { dropTable } from './targets';
import { compare, remember } from './undo';
import { RecoveryTarget } from '../../../../lib';
import type { Obj } from '../../kit/cluster-api';
import { nameOf } from '../../kit/postgres';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { since, waitFor } from '../../kit/wait';

export const SCHEDULE = 'volume';
export const JOB_S = 600;
export const MEMBERS = 3;

interface Listed {
  readonly name: string;
  readonly good: boolean;
  readonly why?: string;
}

export interface SnapshotStatus {
  readonly schedules: Readonly<Record<string, {
    readonly member?: string; readonly note?: string; readonly startedAt: string;
    readonly failure?: { readonly kind: string; readonly detail: string };
  }>>;
  readonly snapshots?: Readonly<Record<string, readonly Listed[]>>;
}

const RESTORE = { what: 'from apply until the clone that begins with the snapshot takes writes' };
export const SNAPSHOT_FIGURES = {
  made: { what: 'from the start of the Job until the snapshot counts' },
  longestGap: { what: 'longest time without an acknowledged write while it was made' },
  whole: { what: 'from apply until all members of the clone stream' },
};

export function snapshotEvents(fixture: BackupFixture): SuiteEvent[] {
  return [
    { name: 'snapshot-restore', measure: RESTORE, figures: SNAPSHOT_FIGURES, run: (context) => restore(context, fixture) },
    {
      name: 'snapshot-restore-killed', measure: { what: 'from the kill of the member that restores until the clone takes writes' },
      run: (context) => killedInRestore(context, fixture),
    },
    {
      name: 'snapshot-job-killed', measure: { what: 'from the kill of the Job until no member is in backup mode' },
      figures: { made: SNAPSHOT_FIGURES.made }, run: (context) => killedJob(context, fixture),
    },
  ];
}

/** The write-ahead log has a volume of its own, which is not in the snapshot. */
export function logVolumeEvent(fixture: BackupFixture): SuiteEvent {
  return { name: 'snapshot-restore-wal', measure: RESTORE, figures: SNAPSHOT_FIGURES, run: (context) => restore(context, fixture) };
}

/** As the schedule does it; gives the name of the new snapshot, which has to be good and of a standby. */
export async function snapshotOf(fixture: BackupFixture): Promise<string> {
  await fixture.untilBackedUp(await fixture.startBackup(SCHEDULE), JOB_S);
  const { schedules } = (await fixture.status<SnapshotStatus>('backup.json'))!;
  const primary = nameOf(await fixture.cluster.primary());
  if (schedules[SCHEDULE]?.member === primary) throw new Error(`the snapshot is of ${primary}, the primary, although standbys stream`);
  return newestSnapshot(fixture);
}

/** As the status has it; it has to be good. */
export async function newestSnapshot(fixture: BackupFixture): Promise<string> {
  const [newest] = (await fixture.status<SnapshotStatus>('backup.json'))?.snapshots?.[SCHEDULE] ?? [];
  if (!newest?.good) throw new Error(`the newest snapshot is not good: ${JSON.stringify(newest)}`);
  return newest.name;
}

interface Prepared {
  readonly snapshot: string;
  readonly moment: Awaited<ReturnType<typeof remember>>;
  readonly figures: { readonly made: number; readonly longestGap: number };
}

/** A snapshot, then rows, then the mistake. */
export async function prepare(context: SuiteContext, fixture: BackupFixture): Promise<Prepared> {
  await fixture.ready(context);
  await fixture.cluster.hurryToSettle(MEMBERS, PATIENCE_S);
  await fixture.writer.mark();
  const start = performance.now();
  const snapshot = await snapshotOf(fixture);
  const made = since(start);
  await fixture.writer.untilWriting(PATIENCE_S);
  const { longestGap } = await fixture.writer.status();
  const moment = await remember(fixture);
  await dropTable(fixture);
  await fixture.writer.untilWriting(PATIENCE_S);
  await fixture.untilArchived();
  return { snapshot, moment, figures: { made, longestGap } };
}

async function restore(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  const { snapshot, moment, figures } = await prepare(context, fixture);
  const target = RecoveryTarget.time(moment.at);
  const start = performance.now();
  return fixture.withClone(context, { target, instances: MEMBERS, snapshot }, async (clone) => {
    await untilWritable(clone, PATIENCE_S);
    const value = since(start);
    const counted = await compare(clone, moment, target);
    await clone.untilSettled(MEMBERS, PATIENCE_S);
    const whole = since(start);
    const left = await clone.execIn(await clone.primary(), ['sh', '-c', 'ls -d /pgdata/snapshot-* 2> /dev/null; true']);
    if (left.stdout.trim()) throw new Error(`what is left of the copy takes room: ${left.stdout}`);
    return { value, ...counted, figures: { ...figures, whole } };
  });
}

/** Every process of the member dies while it replays: the copy is there once, and is gone on with. */
async function killedInRestore(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  const { snapshot, moment } = await prepare(context, fixture);
  const target = RecoveryTarget.time(moment.at);
  return fixture.withClone(context, { target, instances: 1, snapshot }, async (clone) => {
    const first = `${clone.name}-1-0`;
    await waitFor({ what: `${first} to replay`, seconds: PATIENCE_S, everyMs: 100 }, async () => {
      const log = await context.api.logs(fixture.namespace, first, 'postgres', 200).catch(() => '');
      return /restored log file/.test(log) ? undefined : 'it does not';
    });
    const start = performance.now();
    await clone.killContainer((await clone.members())[0]!);
    await untilWritable(clone, PATIENCE_S);
    return { value: since(start), ...await compare(clone, moment, target) };
  });
}

/** The mark that lies on a volume while its member is in backup mode. */
export async function inBackupMode(fixture: BackupFixture): Promise<string[]> {
  const members = await fixture.cluster.members();
  const looks = members.map(async (pod) => ({ pod, ...await fixture.cluster.execIn(pod, ['test', '-f', '/pgdata/snapshot-mark']) }));
  return (await Promise.all(looks)).filter(({ ok }) => ok).map(({ pod }) => nameOf(pod));
}

async function killedJob(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  const { api } = context;
  await fixture.ready(context);
  await fixture.cluster.hurryToSettle(MEMBERS, PATIENCE_S);
  const before = (await fixture.status<SnapshotStatus>('backup.json'))?.snapshots?.[SCHEDULE] ?? [];
  const job = await fixture.startBackup(SCHEDULE);
  await waitFor({ what: 'a member in backup mode', seconds: PATIENCE_S, everyMs: 50 }, async () => ((await inBackupMode(fixture)).length > 0 ? undefined : 'there is none'));
  const start = performance.now();
  // Before its Pod: it would make another one.
  await api.delete([{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: job } } as Obj], fixture.namespace, 0);
  const pods = await api.pods(fixture.namespace, `job-name=${job}`);
  await api.delete(pods.map((pod) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: nameOf(pod) } }) as Obj), fixture.namespace, 0);
  await waitFor({ what: 'the end of backup mode', seconds: PATIENCE_S, everyMs: 100 }, async () => (await inBackupMode(fixture)).join(', ') || undefined);
  const value = since(start);
  const after = (await fixture.status<SnapshotStatus>('backup.json'))?.snapshots?.[SCHEDULE] ?? [];
  if (after.length !== before.length) throw new Error(`a snapshot of a Job that died counts: ${JSON.stringify(after)}`);
  const again = performance.now();
  await snapshotOf(fixture);
  const made = since(again);
  const counted = await compare(fixture.cluster, await remember(fixture), RecoveryTarget.latest());
  return { value, ...counted, figures: { made } };
}
