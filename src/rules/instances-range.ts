import type { PostgresRule, Violation } from './rule';
import { DEFAULT_INSTANCES, MOST_MEMBERS } from '../resolve/groups';

function range(count: number, least: number, path: Array<string | number>): Violation[] {
  if (Number.isInteger(count) && count >= least && count <= MOST_MEMBERS) return [];
  return [{ path, problem: `instances is ${count}`, fix: `Use a whole number from ${least} to ${MOST_MEMBERS}` }];
}

export const instancesRange: PostgresRule = {
  code: 'EV1201',
  title: 'A number of instances that makes no cluster',
  cause: 'instances is 0, negative, not whole, or beyond 20.',
  consequence: 'Without members there is no database, and with too many the primary is busy with feeding standbys',
  fix: 'Use 3 for high availability',
  check: ({ props }) => [
    ...range(props.instances ?? DEFAULT_INSTANCES, 1, ['instances']),
    ...(props.memberGroups ?? []).flatMap((group, index) => range(group.instances, 1, ['memberGroups', index, 'instances'])),
  ],
};
