/** What goes wrong with the storage and under a backup: nothing is lost, the status says what, it mends itself. */
import type { BackupFixture } from './fixture';
import { PATIENCE_S } from './fixture';
import { untilTold, verdict } from './told';
import { RIGHT_KEY, storageSecret } from '../../kit/object-storage';
import type { Measure, Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import { since } from '../../kit/wait';

const TOLD: Measure = { what: 'from the fault until the status names it' };
const MENDED: Measure = { what: 'from the end of the fault until all is archived again' };

export function faultEvents(fixture: BackupFixture): SuiteEvent[] {
  return [
    {
      name: 's3-cut', measure: MENDED, figures: { told: TOLD, longestGap: { what: 'longest time without an acknowledged write' } },
      run: (context) => cut(context, fixture),
    },
    { name: 'wrong-key', measure: MENDED, figures: { told: TOLD }, run: (context) => wrongKey(context, fixture) },
    {
      name: 'primary-killed-in-backup', measure: { what: 'from the kill until the same Job has a good backup' },
      run: (context) => killedInBackup(context, fixture),
    },
  ];
}

/** The storage is off the network in the middle of a backup, and for as long as the status needs to say so. */
async function cut(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  const { faults } = context;
  if (!faults.available) throw new Skip(faults.whyNot);
  await fixture.ready(context);
  return faults.alone(async () => {
    await fixture.writer.mark();
    const job = await fixture.startBackup();
    const start = performance.now();
    await faults.storage('cut');
    let told = 0;
    try {
      await untilTold(fixture, ['unreachable']);
      told = since(start);
    } finally {
      await faults.storage('heal');
    }
    const { longestGap } = await fixture.writer.status();
    const healed = performance.now();
    const checked = await verdict(fixture);
    const value = since(healed);
    await fixture.untilBackedUp(job);
    return { value, ...checked, figures: { told, longestGap } };
  });
}

/** A key that is wrong is told apart from a storage that is away; the right one is taken up by itself. */
async function wrongKey(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await fixture.ready(context);
  const start = performance.now();
  let told = 0;
  try {
    await context.api.merge(storageSecret(), fixture.namespace, { stringData: { AWS_SECRET_ACCESS_KEY: 'wrong' } });
    // Members read the Secret again when their container starts, or when the storage refuses: one of them is renewed.
    await fixture.cluster.killContainer(await fixture.cluster.primary());
    await fixture.writer.untilWriting(PATIENCE_S);
    await untilTold(fixture, ['wrong-credentials']);
    told = since(start);
  } finally {
    await context.api.merge(storageSecret(), fixture.namespace, { stringData: RIGHT_KEY });
  }
  const mended = performance.now();
  const checked = await verdict(fixture);
  return { value: since(mended), ...checked, figures: { told } };
}

/** pgBackRest dies with its member; the Job begins again in the new primary. */
async function killedInBackup(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await fixture.ready(context);
  const before = (await fixture.backups()).map(({ label }) => label);
  const job = await fixture.startBackup();
  await fixture.untilBackupRuns();
  const start = performance.now();
  await fixture.cluster.killContainer(await fixture.cluster.primary());
  await fixture.untilBackedUp(job);
  const value = since(start);
  const made = (await fixture.backups()).filter(({ label }) => !before.includes(label));
  if (made.length !== 1) throw new Error(`${made.length} new backups instead of one`);
  return { value, ...await verdict(fixture) };
}
