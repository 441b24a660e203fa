/** The storage is away for long: writes go on, members that crash meanwhile come back, and the archive has no gap. */
import type { BackupFixture } from './fixture';
import { PATIENCE_S, untilWritable } from './fixture';
import { bothOf, untilAllArchived, untilTold, verdict } from './told';
import { compare, remember } from './undo';
import { RecoveryTarget } from '../../../../lib';
import { nameOf } from '../../kit/postgres';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import { since } from '../../kit/wait';

/** Where `fullAt` begins (docs/guide/backups-operations.md). */
const FORECAST_FROM = 64 * 2 ** 20;
const MINUTES = Number(process.env.E2E_S3_AWAY_MINUTES ?? 3);

interface Waiting { readonly waitingBytes?: number; readonly fullAt?: string }

export function outageEvent(fixture: BackupFixture): SuiteEvent {
  return {
    name: 's3-away',
    measure: { what: `from the end of ${MINUTES} minutes without the storage until all is archived` },
    figures: {
      primaryBack: { what: 'from the kill of the primary until it streams as a standby' },
      standbyBack: { what: 'from the kill of a standby until it streams' },
      longestGap: { what: 'longest time without an acknowledged write' },
      waiting: { what: 'WAL that waits at the end of it', unit: 'MiB' },
    },
    run: (context) => away(context, fixture),
  };
}

async function away(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  const { faults } = context;
  if (!faults.available) throw new Skip(faults.whyNot);
  await fixture.ready(context);
  return faults.alone(async () => {
    await fixture.writer.mark();
    await faults.storage('cut');
    const seen = await meanwhile(fixture).finally(() => faults.storage('heal'));
    const healed = performance.now();
    await untilAllArchived(fixture);
    const value = since(healed);
    const { longestGap } = await fixture.writer.status();
    const rows = bothOf(await verdict(fixture), await recovered(context, fixture, seen.moment));
    return { value, ...rows, figures: { ...seen.figures, longestGap } };
  });
}

/** In each third a member dies: the primary at the end of the first, a standby at the end of the second. */
async function meanwhile(fixture: BackupFixture) {
  const start = performance.now();
  await untilTold(fixture, ['unreachable']);
  await untilElapsed(start, 1 / 3);
  const primaryBack = await killed(fixture, 'primary');
  const moment = await remember(fixture);
  await untilElapsed(start, 2 / 3);
  const standbyBack = await killed(fixture, 'standby');
  await untilElapsed(start, 1);
  return { moment, figures: { primaryBack, standbyBack, waiting: await waiting(fixture) / 2 ** 20 } };
}

/** The length of the fault, not a wait for something. */
async function untilElapsed(start: number, part: number): Promise<void> {
  const rest = MINUTES * 60 * part - since(start);
  await new Promise((done) => { setTimeout(done, Math.max(0, rest) * 1000); });
}

/** Bytes; when there are many, who is on duty is told when the volume will be full. */
async function waiting(fixture: BackupFixture): Promise<number> {
  const archive = await fixture.status<Waiting>('archive.json');
  const { waitingBytes = 0, fullAt } = archive ?? {};
  if (waitingBytes > FORECAST_FROM && !fullAt) throw new Error(`nothing tells when the volume is full: ${JSON.stringify(archive)}`);
  return waitingBytes;
}

async function killed({ cluster, writer }: BackupFixture, role: 'primary' | 'standby'): Promise<number> {
  const primary = await cluster.primary();
  const member = role === 'primary' ? primary : (await cluster.members()).find((pod) => nameOf(pod) !== nameOf(primary))!;
  const start = performance.now();
  await cluster.killContainer(member);
  await writer.untilWriting(PATIENCE_S);
  if (nameOf(await cluster.primary()) !== nameOf(member)) await cluster.untilStreaming(nameOf(member), PATIENCE_S);
  return since(start);
}

/** What was committed while the storage was away, and before the second crash, is in the archive up to its last row. */
async function recovered(context: SuiteContext, fixture: BackupFixture, moment: Awaited<ReturnType<typeof remember>>) {
  const target = RecoveryTarget.time(moment.at);
  return fixture.withClone(context, { target, instances: 1 }, async (clone) => {
    await untilWritable(clone, PATIENCE_S);
    return compare(clone, moment, target);
  });
}
