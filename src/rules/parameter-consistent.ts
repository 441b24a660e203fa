import { parseBoolean } from './booleans';
import type { PostgresRule, Violation } from './rule';
import { smallestMember } from '../resolve/groups';
import { lowerNames, resolveParameters } from '../resolve/parameters';

/** Each standby needs a sender and a slot; one more is for rebuilding a member while all others stream. */
function tooFew(settings: Record<string, string>, name: string, members: number): Violation[] {
  const value = Number(settings[name]);
  return Number.isNaN(value) || value >= members ? [] : [{
    path: ['parameters', name],
    problem: `${name} is ${settings[name]}, and ${members} members need ${members}`,
    consequence: 'A standby could not stream',
    fix: `Set ${name} to ${members} or more`,
  }];
}

export const parameterConsistent: PostgresRule = {
  code: 'EV1306',
  title: 'Settings that contradict each other or the cluster',
  cause: 'wal_level is minimal, max_wal_senders or max_replication_slots are fewer than the members, or fsync or full_page_writes are off.',
  consequence: 'Standbys could not follow, or a crash would destroy data',
  fix: 'Leave the setting out: the derived value fits',
  check: ({ props, groups, members }) => {
    const given = lowerNames(props.parameters);
    const settings = resolveParameters({ ...smallestMember(groups), members }, given);
    const off = ['fsync', 'full_page_writes'].filter((name) => parseBoolean(given[name] ?? '') === false);
    return [
      ...(given.wal_level?.trim().toLowerCase() === 'minimal' ? [{ path: ['parameters', 'wal_level'], problem: 'wal_level is minimal' }] : []),
      ...off.map((name) => ({
        path: ['parameters', name], problem: `${name} is off`, consequence: 'The first power loss would destroy the database beyond repair',
      })),
      ...tooFew(settings, 'max_wal_senders', members),
      ...tooFew(settings, 'max_replication_slots', members),
    ];
  },
};
