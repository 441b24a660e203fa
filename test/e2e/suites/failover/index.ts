/** Every failure and every planned change, measured by clients that count their rows: cluster, agent, pooler. */
import { costEvents } from './cost';
import { Fixture } from './fixture';
import { killEvents } from './kills';
import { nodeEvents } from './nodes';
import { plannedEvents } from './planned';
import { rebuildEvent } from './rebuild';
import { rightsEvent } from './rights';
import { splitEvents } from './splits';
import { AGENT_IMAGE, POOLER_IMAGE, POSTGRES_IMAGE, ensureImage } from '../../kit/images';
import type { Suite } from '../../kit/suite';

export function failoverSuite(): Suite {
  const sync = new Fixture({ suffix: 'sync' });
  const async = new Fixture({ suffix: 'async', asynchronous: true });
  return {
    name: 'failover',
    setUp: async (context) => {
      const { api, faults, reporter } = context;
      for (const image of [POSTGRES_IMAGE, POOLER_IMAGE, AGENT_IMAGE]) await ensureImage(image, api, faults, reporter);
    },
    diagnose: async () => `${await sync.diagnosis()}\n${await async.diagnosis()}`,
    tearDown: async (context) => { await Promise.all([sync.remove(context), async.remove(context)]); },
    events: [
      ...killEvents(sync), rebuildEvent(sync), ...plannedEvents(sync), ...nodeEvents(sync, async), ...splitEvents(sync),
      rightsEvent([sync, async]), ...costEvents(sync),
    ],
  };
}
