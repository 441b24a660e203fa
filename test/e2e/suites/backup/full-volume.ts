/** The storage is away until the log would fill the volume: writes stop before, and go on with nothing lost. */
import type { BackupFixture } from './fixture';
import { PATIENCE_S } from './fixture';
import { bothOf, verdict } from './told';
import { latestRecovered } from './undo';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import { since, waitFor } from '../../kit/wait';

/** Log, and no data, until the server takes no more; then what it said. */
const FILL = `
  work="CREATE TABLE fill AS SELECT md5(random()::text) AS text FROM generate_series(1, 50000); DROP TABLE fill"
  while psql -qAtd app -c "BEGIN; $work; COMMIT" > /dev/null 2> /tmp/said; do :; done
  cat /tmp/said`;
const READ_ONLY = /read-only transaction/;

interface Archive {
  readonly freeBytes?: number;
  readonly writesStopped?: { readonly problem: string };
  readonly readOnlyMembers?: readonly string[];
}

export function fullVolumeEvent(fixture: BackupFixture): SuiteEvent {
  return {
    name: 'volume-full', measure: { what: 'from the return of the storage until clients write again' },
    figures: {
      free: { what: 'room that is left when writes have stopped', unit: 'MiB' },
      whole: { what: 'from the return of the storage until all members stream' },
    },
    run: (context) => full(context, fixture),
  };
}

async function full(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  const { faults } = context;
  if (!faults.available) throw new Skip(faults.whyNot);
  await fixture.ready(context);
  const timeline = await fixture.cluster.timeline();
  return faults.alone(async () => {
    await fixture.writer.mark();
    await faults.storage('cut');
    const free = await filled(fixture).finally(() => faults.storage('heal'));
    const start = performance.now();
    await fixture.writer.untilWriting(PATIENCE_S);
    const value = since(start);
    await fixture.settled(context);
    const whole = since(start);
    await untilAllowed(fixture);
    if (await fixture.cluster.timeline() !== timeline) throw new Error('the primary has changed');
    // In a copy too, up to the last row, so that the archive has no gap.
    const rows = bothOf(await verdict(fixture), await latestRecovered(context, fixture, '2Gi'));
    return { value, ...rows, figures: { free, whole } };
  });
}

/** Gives the room that is left. */
async function filled(fixture: BackupFixture): Promise<number> {
  const said = await fixture.inPrimary(['sh', '-c', FILL], PATIENCE_S);
  if (!READ_ONLY.test(said)) throw new Error(`writes ended otherwise: ${said}`);
  let free = 0;
  await waitFor({ what: 'the status to say that writes are stopped', seconds: PATIENCE_S, everyMs: 500 }, async () => {
    const archive = await fixture.status<Archive>('archive.json');
    free = archive?.freeBytes ?? 0;
    return archive?.writesStopped ? undefined : JSON.stringify(archive);
  });
  return free / 2 ** 20;
}

async function untilAllowed(fixture: BackupFixture): Promise<void> {
  await waitFor({ what: 'no member to be read-only any more', seconds: PATIENCE_S, everyMs: 500 }, async () => {
    const archive = await fixture.status<Archive>('archive.json');
    return archive?.writesStopped || archive?.readOnlyMembers ? JSON.stringify(archive) : undefined;
  });
}
