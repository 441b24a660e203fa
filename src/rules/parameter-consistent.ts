import { parseBoolean } from './booleans';
import type { PostgresRule, Violation } from './rule';

/** A setting that the user gave; the derived ones need no check, they fit. */
interface Given {
  /** As it was written: PostgreSQL does not tell FSYNC from fsync, an editor does. */
  readonly name: string;
  readonly value: string;
}

function pick(parameters: { readonly [name: string]: string } = {}, setting: string): Given[] {
  return Object.entries(parameters)
    .filter(([name]) => name.toLowerCase() === setting)
    .map(([name, value]) => ({ name, value }));
}

/** Each standby needs a sender and a slot; one more is for rebuilding a member while all others stream. */
function tooFew({ name, value }: Given, members: number): Violation[] {
  const count = Number(value);
  return Number.isNaN(count) || count >= members ? [] : [{
    path: ['parameters', name],
    problem: `${name} is ${value}, and ${members} members need ${members}`,
    consequence: 'A standby could not stream',
    fix: `Set ${name} to ${members} or more`,
  }];
}

function turnedOff({ name, value }: Given): Violation[] {
  return parseBoolean(value) !== false ? [] : [{
    path: ['parameters', name],
    problem: `${name} is off`,
    consequence: 'The first power loss would destroy the database beyond repair',
  }];
}

function minimal({ name, value }: Given): Violation[] {
  return value.trim().toLowerCase() === 'minimal' ? [{ path: ['parameters', name], problem: `${name} is minimal` }] : [];
}

export const parameterConsistent: PostgresRule = {
  code: 'EV1306',
  title: 'Settings that contradict each other or the cluster',
  cause: 'wal_level is minimal, max_wal_senders or max_replication_slots are fewer than the members, or fsync or full_page_writes are off.',
  consequence: 'Standbys could not follow, or a crash would destroy data',
  fix: 'Leave the setting out: the derived value fits',
  check: ({ props: { parameters }, members }) => [
    ...pick(parameters, 'wal_level').flatMap(minimal),
    ...['fsync', 'full_page_writes'].flatMap((setting) => pick(parameters, setting)).flatMap(turnedOff),
    ...['max_wal_senders', 'max_replication_slots'].flatMap((setting) => pick(parameters, setting))
      .flatMap((given) => tooFew(given, members)),
  ],
};
