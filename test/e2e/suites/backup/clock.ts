/** Clocks that are minutes off: nobody loses the lead or a row, moments are found, and the status says whose it is. */
import type { V1Pod } from '@kubernetes/client-node';
import type { BackupFixture } from './fixture';
import { PATIENCE_S, untilWritable } from './fixture';
import { untilTold, verdict } from './told';
import { compare, failOver, latestRecovered, remember } from './undo';
import { RecoveryTarget } from '../../../../lib';
import { CLOCK_IMAGE, ensureImage } from '../../kit/images';
import { nameOf } from '../../kit/postgres';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { since, waitFor } from '../../kit/wait';

const OFF_S = 150;
/** S3 refuses what is signed more than 15 minutes away from its own time. */
const REFUSED_S = 1200;

interface Archive { readonly clock?: { readonly offsetSeconds: number } }
interface Backups { readonly schedules: Record<string, { readonly failure?: { readonly kind: string } }> }

export function clockEvents(fixture: BackupFixture): SuiteEvent[] {
  const told = { what: 'from the change of the clock until the status names it' };
  return [
    {
      name: 'clock-off', measure: told,
      figures: {
        recovered: { what: 'from apply until a clone of a moment by that clock takes writes' },
        backedUp: { what: 'from the failover to a member whose clock is right until there is a backup again' },
        longestGap: { what: 'longest time without an acknowledged write, before the failover' },
      },
      run: (context) => off(context, fixture),
    },
    {
      name: 'clock-refused', measure: told, figures: { mended: { what: 'from the end of the fault until all is archived again' } },
      run: (context) => refused(context, fixture),
    },
  ];
}

async function ready(context: SuiteContext, fixture: BackupFixture): Promise<void> {
  await ensureImage(CLOCK_IMAGE, context.api, context.faults, context.reporter);
  await fixture.ready(context);
  await fixture.writer.mark();
}

async function setClock({ cluster }: BackupFixture, pod: V1Pod, seconds: number): Promise<void> {
  const text = seconds < 0 ? String(seconds) : `+${seconds}`;
  const { ok, stderr } = await cluster.execIn(pod, ['sh', '-c', 'echo "$0" > /tmp/clock', text]);
  if (!ok) throw new Error(`the clock of ${nameOf(pod)} was not set: ${stderr}`);
}

async function rightClocks(fixture: BackupFixture): Promise<void> {
  for (const pod of await fixture.cluster.members()) await setClock(fixture, pod, 0);
}

async function untilOffset(fixture: BackupFixture, wanted: number): Promise<void> {
  await waitFor({ what: `the status to say that the clock is ${wanted} s off`, seconds: PATIENCE_S, everyMs: 500 }, async () => {
    const { offsetSeconds = 0 } = (await fixture.status<Archive>('archive.json'))?.clock ?? {};
    return Math.abs(offsetSeconds - wanted) <= 2 ? undefined : `it says ${offsetSeconds}`;
  });
}

/** The primary's is ahead, a standby's is behind; then another member leads, and time is set back for everybody. */
async function off(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await ready(context, fixture);
  const { cluster } = fixture;
  const [primary, timeline] = [await cluster.primary(), await cluster.timeline()];
  const standby = (await cluster.members()).find((pod) => nameOf(pod) !== nameOf(primary))!;
  const start = performance.now();
  try {
    await setClock(fixture, primary, OFF_S);
    await setClock(fixture, standby, -OFF_S);
    await untilOffset(fixture, OFF_S);
    const value = since(start);
    await fixture.backUp();
    const recovered = await momentRecovered(context, fixture);
    if (await cluster.timeline() !== timeline) throw new Error('a wrong clock has moved the lead');
    const { longestGap } = await fixture.writer.status();
    await setClock(fixture, standby, 0);
    const backedUp = await backedUpAfterFailover(fixture);
    const found = await latestRecovered(context, fixture);
    return { value, ...found, figures: { recovered, backedUp, longestGap } };
  } finally {
    await rightClocks(fixture);
  }
}

async function momentRecovered(context: SuiteContext, fixture: BackupFixture): Promise<number> {
  const moment = await remember(fixture);
  await fixture.writer.untilWriting(PATIENCE_S);
  await fixture.untilArchived();
  const target = RecoveryTarget.time(moment.at);
  const start = performance.now();
  return fixture.withClone(context, { target, instances: 1 }, async (clone) => {
    await untilWritable(clone, PATIENCE_S);
    const value = since(start);
    const { lost } = await compare(clone, moment, target);
    if (lost !== 0) throw new Error(`${lost} rows from before ${moment.at} are missing in ${clone.name}`);
    return value;
  });
}

/** The newest backup is dated later than now: pgBackRest makes none before that, and the status has to say why. */
async function backedUpAfterFailover(fixture: BackupFixture): Promise<number> {
  const start = performance.now();
  await failOver(fixture);
  await untilOffset(fixture, 0);
  await fixture.startBackup();
  await waitFor({ what: 'the status to say why there is no backup', seconds: PATIENCE_S, everyMs: 500 }, async () => {
    const result = (await fixture.status<Backups>('backup.json'))?.schedules.nightly;
    return result?.failure?.kind === 'clock-skew' ? undefined : JSON.stringify(result);
  });
  const newest = (await fixture.backups()).at(-1)!.timestamp.stop * 1000;
  await waitFor({ what: 'the time of the newest backup to come', seconds: PATIENCE_S }, async () => (
    Promise.resolve(Date.now() > newest ? undefined : `it is ${new Date().toISOString()}`)));
  await fixture.backUp();
  return since(start);
}

/** So far off that the storage refuses: told apart from a wrong key, and mended by the right time. */
async function refused(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await ready(context, fixture);
  const start = performance.now();
  let value = 0;
  try {
    await setClock(fixture, await fixture.cluster.primary(), REFUSED_S);
    await untilTold(fixture, ['clock-skew']);
    value = since(start);
  } finally {
    await rightClocks(fixture);
  }
  const mended = performance.now();
  const checked = await verdict(fixture);
  return { value, ...checked, figures: { mended: since(mended) } };
}
