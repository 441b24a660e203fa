import type { PasswordRotation } from '../password-rotation';
import type { PostgresRule, Violation } from './rule';

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

/** What roles of all engines have. */
interface Rotated {
  readonly name: string;
  readonly secretName?: string;
  readonly rotation?: PasswordRotation;
}

function foreign(role: Rotated, generates: boolean): Violation[] {
  if (generates && role.secretName === undefined) return [];
  return [{
    path: [], problem: `the password of ${role.name} comes from elsewhere`, consequence: 'Nobody of ours must write into that Secret',
    fix: 'Rotate it where it comes from, or take the rotation away',
  }];
}

/** At the path of the role. */
export function rotationViolations(role: Rotated, path: Violation['path'], generates: boolean): Violation[] {
  if (!role.rotation) return [];
  return [...timing(role.rotation), ...foreign(role, generates)]
    .map((found) => ({ ...found, path: [...path, 'rotation', ...found.path] }));
}

export const rotationValid: PostgresRule = {
  code: 'EV1602',
  title: 'A rotation that cannot be done',
  cause: 'A rotation is too frequent, its old password would outlive the next rotation, or the Secret is not filled by the agent.',
  consequence: 'Applications would not have time to follow',
  fix: 'Use an interval of an hour or more, and an oldValidFor from ten minutes to the interval',
  check: ({ props }) => (props.roles ?? []).flatMap((role, index) =>
    rotationViolations(role, ['roles', index], props.credentials?.generates ?? true)),
};
