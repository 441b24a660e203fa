/** Backups count when they were restored: lost tables, clones, faults of the storage, under a writer that counts. */
import { faultEvents } from './faults';
import { BackupFixture } from './fixture';
import { retentionEvent } from './retention';
import { undoEvents } from './undo';
import { AGENT_IMAGE, POOLER_IMAGE, POSTGRES_IMAGE, ensureImage } from '../../kit/images';
import type { Suite } from '../../kit/suite';

export function backupSuite(): Suite {
  const fixture = new BackupFixture();
  return {
    name: 'backup',
    setUp: async ({ api, faults, reporter }) => {
      for (const image of [POSTGRES_IMAGE, POOLER_IMAGE, AGENT_IMAGE]) await ensureImage(image, api, faults, reporter);
    },
    diagnose: () => fixture.diagnosis(),
    tearDown: (context) => fixture.remove(context),
    events: [...undoEvents(fixture), ...faultEvents(fixture), retentionEvent(fixture)],
  };
}
