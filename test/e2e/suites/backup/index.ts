/** Backups count when they were restored: lost tables, clones, faults of the storage, under a writer that counts. */
import { bucketEvents } from './bucket';
import { clockEvents } from './clock';
import { costEvents, VOLUME } from './costs';
import { Drills, drillEvents } from './drill';
import { faultEvents } from './faults';
import { BackupFixture } from './fixture';
import { fullVolumeEvent } from './full-volume';
import { inPlaceEvents } from './in-place';
import { outageEvent } from './outage';
import { recoveryFaultEvents } from './recovery-faults';
import { retentionEvent } from './retention';
import { logVolumeEvent, snapshotEvents } from './snapshot';
import { snapshotFaultEvents } from './snapshot-faults';
import { Sides, standbyEvents } from './standby';
import { undoEvents } from './undo';
import { AGENT_IMAGE, CLOCK_IMAGE, POOLER_IMAGE, POSTGRES_IMAGE, ensureImage } from '../../kit/images';
import type { Suite, SuiteContext, SuiteEvent } from '../../kit/suite';

/** Clusters that some events share. */
interface Fixture {
  diagnosis(): Promise<string>;
  remove(context: SuiteContext): Promise<void>;
}

/** One fixture at a time: a small machine has no room for the clusters of all. */
class Stage {
  private current: Fixture | undefined;

  on(fixture: Fixture, events: readonly SuiteEvent[]): SuiteEvent[] {
    return events.map((event) => ({
      ...event,
      run: async (context, run) => {
        if (this.current !== fixture) await this.clear(context);
        this.current = fixture;
        return event.run(context, run);
      },
    }));
  }

  async clear(context: SuiteContext): Promise<void> {
    await this.current?.remove(context);
  }

  async diagnosis(): Promise<string> {
    return this.current?.diagnosis() ?? '';
  }
}

export function backupSuite(): Suite {
  const fixture = new BackupFixture();
  const inPlace = new BackupFixture();
  const large = new BackupFixture({ instances: 1, volume: VOLUME });
  const small = new BackupFixture({ volume: '1Gi' });
  const clocks = new BackupFixture({ image: CLOCK_IMAGE.name });
  const snapshots = new BackupFixture({ snapshots: true });
  const withLog = new BackupFixture({ snapshots: true, walVolume: '2Gi' });
  const drills = new Drills();
  const sides = new Sides();
  const stage = new Stage();
  return {
    name: 'backup',
    setUp: async ({ api, faults, reporter }) => {
      for (const image of [POSTGRES_IMAGE, POOLER_IMAGE, AGENT_IMAGE]) await ensureImage(image, api, faults, reporter);
    },
    diagnose: () => stage.diagnosis(),
    tearDown: (context) => stage.clear(context),
    events: [
      ...stage.on(fixture, [
        ...undoEvents(fixture), ...faultEvents(fixture), ...recoveryFaultEvents(fixture),
        retentionEvent(fixture), outageEvent(fixture), ...bucketEvents(fixture),
      ]),
      ...stage.on(inPlace, inPlaceEvents(inPlace)),
      ...stage.on(clocks, clockEvents(clocks)),
      ...stage.on(small, [fullVolumeEvent(small)]),
      ...stage.on(snapshots, [...snapshotEvents(snapshots), ...snapshotFaultEvents(snapshots)]),
      ...stage.on(withLog, [logVolumeEvent(withLog)]),
      ...stage.on(large, costEvents(large)),
      ...stage.on(drills, drillEvents(drills)),
      ...stage.on(sides, standbyEvents(sides)),
    ],
  };
}
