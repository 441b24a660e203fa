/** What goes wrong on the way back: a target that is not there, a storage or a node that is lost in the middle. */
import type { BackupFixture } from './fixture';
import { PATIENCE_S, untilWritable } from './fixture';
import { compare, latestRecovered, remember } from './undo';
import { RecoveryTarget } from '../../../../lib';
import type { PostgresUnderTest } from '../../kit/postgres';
import { nameOf, nodeOf } from '../../kit/postgres';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import { since, waitFor } from '../../kit/wait';

const WAITING = 'everest.io/waiting';

export function recoveryFaultEvents(fixture: BackupFixture): SuiteEvent[] {
  const measure = { what: 'from the end of the fault until the clone takes writes' };
  return [
    {
      name: 'target-outside', measure: { what: 'from the right target in Git until the clone takes writes' },
      figures: { told: { what: 'from apply until the member says that the target is before the window' } },
      run: (context) => outside(context, fixture),
    },
    { name: 's3-cut-in-restore', measure, run: (context) => cutInRestore(context, fixture) },
    {
      name: 'node-lost-in-backup', measure: { what: 'from the power loss until the same Job has a good backup' },
      run: (context) => nodeLostInBackup(context, fixture),
    },
  ];
}

/** What the first member says that it waits for. */
export async function untilSaid({ api }: SuiteContext, clone: PostgresUnderTest, wanted: RegExp): Promise<void> {
  await waitFor({ what: `the member to say ${String(wanted)}`, seconds: PATIENCE_S, everyMs: 250 }, async () => {
    const [pod] = await clone.members();
    const said = pod?.metadata?.annotations?.[WAITING] ?? '';
    if (wanted.test(said)) return undefined;
    return said || (pod ? (await api.logs(clone.namespace, nameOf(pod), 'postgres', 3).catch(String)) : 'there is no Pod');
  });
}

/** Before the first backup, then behind the end of the archive: refused with the window. Then one that is there. */
async function outside(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await fixture.ready(context);
  const [oldest] = await fixture.backups();
  const before = new Date((oldest!.timestamp.start - 60) * 1000).toISOString();
  const start = performance.now();
  const wanted = { target: RecoveryTarget.time(before), instances: 1 };
  return fixture.withClone(context, wanted, async (clone, declare) => {
    await untilSaid(context, clone, /is before the end of the first backup.*The window of .* goes from/);
    const told = since(start);
    // It is committed, and not in the archive yet.
    const moment = await remember(fixture);
    await declare({ target: RecoveryTarget.time(moment.at) });
    await untilSaid(context, clone, /is not before the last transaction in the archive/);
    await fixture.untilArchived();
    const archived = performance.now();
    await untilWritable(clone, PATIENCE_S);
    const value = since(archived);
    return { value, ...await compare(clone, moment, RecoveryTarget.time(moment.at)), figures: { told } };
  });
}

/** The storage is off the network while the backup is copied out of it. */
async function cutInRestore(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  const { faults } = context;
  if (!faults.available) throw new Skip(faults.whyNot);
  await fixture.ready(context);
  const moment = await remember(fixture);
  await fixture.untilArchived();
  const target = RecoveryTarget.latest();
  return faults.alone(() => fixture.withClone(context, { target, instances: 1 }, async (clone) => {
    await fixture.untilRestores(context, clone);
    await faults.storage('cut');
    try {
      await new Promise((done) => { setTimeout(done, 30_000); }); // the length of the fault, not a wait for something
      const leads = await clone.sql((await clone.members())[0]!, 'SELECT NOT pg_is_in_recovery()').catch(() => 'no answer');
      if (leads === 't') throw new Error('it was restored before the storage was cut: this run proves nothing');
    } finally {
      await faults.storage('heal');
    }
    const start = performance.now();
    await untilWritable(clone, PATIENCE_S);
    return { value: since(start), ...await compare(clone, moment, target) };
  }));
}

/** The primary's node loses its power while its backup is made; the Job tries again in the new primary. */
async function nodeLostInBackup(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  const { faults } = context;
  if (!faults.available) throw new Skip(faults.whyNot);
  await fixture.ready(context);
  const node = nodeOf(await fixture.cluster.primary());
  if ((await fixture.writer.node()) === node) {
    await fixture.writer.stop();
    await fixture.writer.start({ awayFrom: node });
    await fixture.writer.untilWriting(PATIENCE_S);
  }
  const before = (await fixture.backups()).map(({ label }) => label);
  return faults.alone(async () => {
    const job = await fixture.startBackup();
    await fixture.untilBackupRuns();
    const start = performance.now();
    await faults.node('kill', node);
    try {
      await fixture.writer.untilWriting(PATIENCE_S);
      await fixture.untilBackedUp(job, PATIENCE_S);
    } finally {
      await faults.node('start', node);
    }
    const value = since(start);
    const made = (await fixture.backups()).filter(({ label }) => !before.includes(label));
    if (made.length !== 1) throw new Error(`${made.length} new backups instead of one`);
    await fixture.settled(context);
    return { value, ...await latestRecovered(context, fixture) };
  });
}
