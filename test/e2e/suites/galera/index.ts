/** A Galera cluster under every fault and every planned change, with clients that count their rows. */
import { backupEvents } from './backups';
import { crashEvents } from './crashes';
import { Fixture } from './fixture';
import { inPlaceEvents } from './in-place';
import { killEvents } from './kills';
import { nodeEvents } from './nodes';
import { patternEvents } from './patterns';
import { plannedEvents } from './planned';
import { userEvents } from './users';
import { AGENT_IMAGE, HAPROXY_IMAGE, MARIADB_IMAGE, ensureImage } from '../../kit/images';
import { rightsEvent, type Explained } from '../../kit/rights';
import type { Suite } from '../../kit/suite';

const EXPLAINED: readonly Explained[] = [
  { right: /^agent: patch statefulsets /, because: 'a member that left the contract is scaled to zero, and no event takes one out' },
];

export function galeraSuite(): Suite {
  const fixture = new Fixture();
  const backups = backupEvents();
  const inPlace = inPlaceEvents();
  return {
    name: 'galera',
    setUp: async ({ api, faults, reporter }) => {
      for (const image of [MARIADB_IMAGE, HAPROXY_IMAGE, AGENT_IMAGE]) await ensureImage(image, api, faults, reporter);
    },
    diagnose: async () => `${await fixture.diagnosis()}\n${await inPlace.diagnosis()}`,
    tearDown: async (context) => {
      await fixture.remove(context);
      await backups.tearDown(context);
      await inPlace.tearDown(context);
    },
    events: [
      ...killEvents(fixture), ...plannedEvents(fixture), ...crashEvents(fixture), ...nodeEvents(fixture),
      ...patternEvents(fixture), ...userEvents(fixture), rightsEvent([fixture], EXPLAINED), ...backups.events,
      ...inPlace.events,
    ],
  };
}
