import type { PasswordRotation } from '../password-rotation';
import type { PostgresRule, Violation } from './rule';
import type { PostgresRole } from '../role';

const SHORTEST_INTERVAL_S = 3600;
/** The agent looks every ten minutes whether an old password is over. */
const SHORTEST_OLD_S = 600;

function timing({ interval, oldValidFor }: PasswordRotation): Violation[] {
  const every = interval?.toSeconds() ?? Infinity;
  const old = oldValidFor?.toSeconds();
  return [
    ...(every < SHORTEST_INTERVAL_S ? [{ path: ['interval'], problem: `the interval is ${every} s; an hour is the least` }] : []),
    ...(old !== undefined && old < SHORTEST_OLD_S ? [{ path: ['oldValidFor'], problem: `oldValidFor is ${old} s; ten minutes are the least` }] : []),
    ...(old !== undefined && old >= every ? [{
      path: ['oldValidFor'], problem: `oldValidFor is ${old} s, the interval ${every} s`,
      consequence: 'The next rotation ends it before', fix: 'Make it shorter than the interval, or leave it out',
    }] : []),
  ];
}

function foreign(role: PostgresRole, generates: boolean): Violation[] {
  if (generates && role.secretName === undefined) return [];
  return [{
    path: [], problem: `the password of ${role.name} comes from elsewhere`, consequence: 'The agent must not write into that Secret',
    fix: 'Rotate it where it comes from, or take the rotation away',
  }];
}

export const rotationValid: PostgresRule = {
  code: 'EV1602',
  title: 'A rotation that cannot be done',
  cause: 'A rotation is too frequent, its old password would outlive the next rotation, or the Secret is not filled by the agent.',
  consequence: 'Applications would not have time to follow',
  fix: 'Use an interval of an hour or more, and an oldValidFor from ten minutes to the interval',
  check: ({ props }) => (props.roles ?? []).flatMap((role, index) => (role.rotation
    ? [...timing(role.rotation), ...foreign(role, props.credentials?.generates ?? true)]
      .map((found) => ({ ...found, path: ['roles', index, 'rotation', ...found.path] }))
    : [])),
};
