/**
 * Snapshots where something is missing or fails: standbys, the class, room in the quota, the primary while a standby is
 * in backup mode. Each ends with a snapshot that counts, and with a clone that has every acknowledged row.
 */
import type { BackupFixture } from './fixture';
import { PATIENCE_S, untilWritable } from './fixture';
import { untilSaid } from './recovery-faults';
import { JOB_S, MEMBERS, SCHEDULE, SNAPSHOT_FIGURES, inBackupMode, newestSnapshot, prepare, snapshotOf, type SnapshotStatus } from './snapshot';
import { dropTable, type Moment } from './targets';
import { compare, lookAt, remember } from './undo';
import { RecoveryTarget } from '../../../../lib';
import type { Obj } from '../../kit/cluster-api';
import { untilEnded } from '../../kit/jobs';
import { nameOf } from '../../kit/postgres';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { since, waitFor } from '../../kit/wait';

const TOLD = { what: 'from the start of the Job until the status says why there is no snapshot' };
const SNAPSHOT = { apiVersion: 'snapshot.storage.k8s.io/v1', kind: 'VolumeSnapshot' };
const QUOTA = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'no-snapshots' } } as Obj;
const COUNT = 'count/volumesnapshots.snapshot.storage.k8s.io';

export function snapshotFaultEvents(fixture: BackupFixture): SuiteEvent[] {
  return [
    {
      name: 'snapshot-primary-alone', measure: { what: 'from apply until the clone that begins with the snapshot of the primary takes writes' },
      figures: { made: SNAPSHOT_FIGURES.made, longestGap: SNAPSHOT_FIGURES.longestGap },
      run: (context) => primaryAlone(context, fixture),
    },
    {
      name: 'snapshot-paused', measure: { what: 'from the manifest without pauseAtTarget until the clone takes writes' },
      figures: {
        readable: { what: 'from apply until the data of the snapshot can be looked at' },
        again: { what: 'the same from the kill of the member that waits' },
      },
      run: (context) => paused(context, fixture),
    },
    {
      name: 'snapshot-failover', measure: { what: 'from the kill of the primary until the same Job has a snapshot that counts' },
      figures: { restored: { what: 'from apply until the clone that begins with it takes writes' } },
      run: (context) => failedOver(context, fixture),
    },
    { name: 'snapshot-class-missing', once: true, measure: TOLD, run: (context) => classMissing(context, fixture) },
    { name: 'snapshot-quota', once: true, measure: TOLD, run: (context) => quotaExceeded(context, fixture) },
  ];
}

/** The standbys' members are without a Pod for as long as `work` lasts. */
async function withoutStandbys<T>({ api }: SuiteContext, fixture: BackupFixture, work: () => Promise<T>): Promise<T> {
  const { cluster, namespace } = fixture;
  const primary = nameOf(await cluster.primary());
  const standbys = (await cluster.members()).map(nameOf).filter((name) => name !== primary);
  try {
    for (const pod of standbys) {
      const member = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: pod.replace(/-0$/, '') } } as Obj;
      await api.merge(member, namespace, { spec: { replicas: 0 } });
    }
    await waitFor({ what: 'the primary to be alone', seconds: PATIENCE_S, everyMs: 500 }, async () => {
      const others = (await cluster.members()).map(nameOf).filter((name) => name !== primary);
      return others.length > 0 ? `${others.join(', ')} is there` : undefined;
    });
    await fixture.writer.untilWriting(PATIENCE_S);
    return await work();
  } finally {
    await fixture.declare();
  }
}

/** Rows, then the mistake, then a clone that begins with the snapshot. */
async function undone(context: SuiteContext, fixture: BackupFixture, snapshot: string): Promise<Sample> {
  await fixture.writer.untilWriting(PATIENCE_S);
  const moment = await remember(fixture);
  await dropTable(fixture);
  await fixture.writer.untilWriting(PATIENCE_S);
  await fixture.untilArchived();
  return cloned(context, fixture, snapshot, moment);
}

async function cloned(
  context: SuiteContext, fixture: BackupFixture, snapshot: string, moment: Moment,
): Promise<Sample> {
  const target = RecoveryTarget.time(moment.at);
  const start = performance.now();
  return fixture.withClone(context, { target, instances: 1, snapshot }, async (clone) => {
    await untilWritable(clone, PATIENCE_S);
    return { value: since(start), ...await compare(clone, moment, target) };
  });
}

/** The status has to say that writes waited for the driver. */
async function primaryAlone(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await fixture.ready(context);
  await fixture.cluster.hurryToSettle(MEMBERS, PATIENCE_S);
  return withoutStandbys(context, fixture, async () => {
    await fixture.writer.mark();
    const start = performance.now();
    await fixture.untilBackedUp(await fixture.startBackup(SCHEDULE), JOB_S);
    const made = since(start);
    const { longestGap } = await fixture.writer.status();
    const { member, note = '' } = (await fixture.status<SnapshotStatus>('backup.json'))!.schedules[SCHEDULE]!;
    if (member !== nameOf(await fixture.cluster.primary()) || !/no standby streams/.test(note)) throw new Error(`the snapshot is of ${member}, with the note "${note}"`);
    const restored = await undone(context, fixture, await newestSnapshot(fixture));
    return { ...restored, figures: { made, longestGap } };
  });
}

/** Read, killed, read again, and promoted: all on the one copy that there is. */
async function paused(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  const { snapshot, moment } = await prepare(context, fixture);
  const target = RecoveryTarget.time(moment.at);
  const start = performance.now();
  return fixture.withClone(context, { target, instances: 1, snapshot, pauseAtTarget: true }, async (clone, declare) => {
    const first = async () => (await clone.members())[0]!;
    await untilSaid(context, clone, /the data are at the target/);
    const readable = since(start);
    await lookAt(clone, await first(), moment);
    const killed = performance.now();
    await clone.killContainer(await first());
    await waitFor({ what: 'the data to be readable again', seconds: PATIENCE_S, everyMs: 500 }, async () =>
      lookAt(clone, await first(), moment).then(() => undefined, String));
    const again = since(killed);
    const declared = performance.now();
    await declare({ pauseAtTarget: false });
    await untilWritable(clone, PATIENCE_S);
    return { value: since(declared), ...await compare(clone, moment, target), figures: { readable, again } };
  });
}

/**
 * The standby in backup mode is promoted, or follows another timeline: no snapshot counts that a server cannot begin
 * with.
 */
async function failedOver(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await fixture.ready(context);
  await fixture.cluster.hurryToSettle(MEMBERS, PATIENCE_S);
  const old = await fixture.cluster.primary();
  const job = await fixture.startBackup(SCHEDULE);
  let held: string[] = [];
  await waitFor({ what: 'a standby in backup mode', seconds: PATIENCE_S, everyMs: 50 }, async () => {
    held = await inBackupMode(fixture);
    return held.length > 0 ? undefined : 'there is none';
  });
  const start = performance.now();
  await fixture.cluster.killContainer(old);
  await fixture.writer.untilWriting(PATIENCE_S);
  const promoted = nameOf(await fixture.cluster.primary());
  await fixture.untilBackedUp(job, JOB_S);
  const value = since(start);
  const left = await inBackupMode(fixture);
  if (left.length > 0) throw new Error(`${left.join(', ')} is still in backup mode`);
  const { member } = (await fixture.status<SnapshotStatus>('backup.json'))!.schedules[SCHEDULE]!;
  const { value: restored, ...counted } = await undone(context, fixture, await newestSnapshot(fixture));
  const note = `${held.join(', ')} in backup mode, ${promoted} promoted, the snapshot is of ${member}`;
  return { value, ...counted, figures: { restored }, note };
}

/** A class that nobody has made. */
async function classMissing(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await fixture.ready(context);
  await fixture.declare({ snapshotClass: 'no-such-class' });
  const sample = await refused(context, fixture, 'no-snapshot-class').finally(() => fixture.declare());
  await snapshotOf(fixture);
  return sample;
}

async function quotaExceeded(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  const { api } = context;
  await fixture.ready(context);
  await api.apply([{ ...QUOTA, spec: { hard: { [COUNT]: '0' } } } as Obj], fixture.namespace);
  try {
    await waitFor({ what: 'the quota to count', seconds: PATIENCE_S, everyMs: 500 }, async () => {
      const { status } = (await api.read<Obj & { status?: { hard?: object } }>(QUOTA, fixture.namespace)) ?? {};
      return status?.hard ? undefined : 'it does not';
    });
    return await refused(context, fixture, 'snapshot-quota');
  } finally {
    await api.delete([QUOTA], fixture.namespace);
    await snapshotOf(fixture);
  }
}

/** The Job fails with this kind, and leaves nothing behind: no snapshot, no member in backup mode. */
async function refused({ api }: SuiteContext, fixture: BackupFixture, wanted: string): Promise<Sample> {
  const before = (await api.names(SNAPSHOT, fixture.namespace)).join(', ');
  const started = new Date().toISOString();
  const start = performance.now();
  const job = await fixture.startBackup(SCHEDULE);
  const told = await untilFailureTold(fixture, started);
  const value = since(start);
  if (told.kind !== wanted) throw new Error(`the status says ${JSON.stringify(told)} instead of ${wanted}`);
  await untilEnded(api, fixture.namespace, job, { wanted: 'Failed', seconds: JOB_S });
  await waitFor({ what: 'nothing to be left behind', seconds: PATIENCE_S, everyMs: 500 }, async () => {
    const held = (await inBackupMode(fixture)).map((name) => `${name} in backup mode`);
    const after = (await api.names(SNAPSHOT, fixture.namespace)).join(', ');
    return [...held, ...(after === before ? [] : [`snapshots ${after} instead of ${before}`])].join(', ') || undefined;
  });
  return { value, note: told.detail };
}

async function untilFailureTold(fixture: BackupFixture, begun: string): Promise<{ kind: string; detail: string }> {
  let failure: { kind: string; detail: string } | undefined;
  await waitFor({ what: 'the status to say why', seconds: JOB_S, everyMs: 500 }, async () => {
    const result = (await fixture.status<SnapshotStatus>('backup.json'))?.schedules[SCHEDULE];
    failure = result && result.startedAt >= begun ? result.failure : undefined;
    return failure ? undefined : 'it does not';
  });
  return failure!;
}
