/** Every failure and every planned change, measured by clients that count their rows: cluster, agent, pooler. */
import { changeEvents } from './changes';
import { costEvents } from './cost';
import { Fixture } from './fixture';
import { killEvents } from './kills';
import { nodeEvents } from './nodes';
import { plannedEvents } from './planned';
import { rebuildEvent } from './rebuild';
import { splitEvents } from './splits';
import { AGENT_IMAGE, POOLER_IMAGE, POSTGRES_IMAGE, ensureImage } from '../../kit/images';
import { rightsEvent, type Explained } from '../../kit/rights';
import type { Suite } from '../../kit/suite';

const EXPLAINED: readonly Explained[] = [
  { right: /^agent: patch statefulsets /, because: 'a member that left the contract is scaled to zero, and no event takes one out' },
  { right: /^agent: patch secrets \(CLUSTER-app\)$/, because: 'a rotation writes the new password there, and no event rotates' },
];

export function failoverSuite(): Suite {
  const sync = new Fixture({ suffix: 'sync' });
  const async = new Fixture({ suffix: 'async', asynchronous: true });
  const available = new Fixture({ suffix: 'available', asynchronous: true, preferAvailability: true });
  const archived = new Fixture({ suffix: 'archived', archived: true });
  const all = [sync, async, available, archived];
  return {
    name: 'failover',
    setUp: async (context) => {
      const { api, faults, reporter } = context;
      for (const image of [POSTGRES_IMAGE, POOLER_IMAGE, AGENT_IMAGE]) await ensureImage(image, api, faults, reporter);
    },
    diagnose: async () => (await Promise.all(all.map((fixture) => fixture.diagnosis()))).join('\n'),
    tearDown: async (context) => { await Promise.all(all.map((fixture) => fixture.remove(context))); },
    events: [
      ...killEvents(sync, archived), rebuildEvent(sync), ...plannedEvents(sync), ...changeEvents(sync),
      ...nodeEvents(sync, async, available), ...splitEvents(sync),
      rightsEvent(all, EXPLAINED), ...costEvents(sync),
    ],
  };
}
