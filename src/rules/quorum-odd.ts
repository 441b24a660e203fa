import type { PostgresRule } from './rule';

export const quorumOdd: PostgresRule = {
  code: 'EV1202',
  title: 'Quorum replication with an even number of members',
  cause: 'replication is quorum and the number of members that may become primary is even.',
  consequence: 'An even number tolerates no more losses than the odd one below it, and one half of the members could hold commits that the other half has not',
  fix: 'Use an odd number of instances, or synchronous replication',
  check: ({ props, promotable }) => (props.replication?.mode === 'quorum' && promotable % 2 === 0 ? [{
    path: ['instances'],
    problem: `${promotable} members may become primary, and replication is quorum`,
    fix: `Set instances to ${Math.max(3, promotable - 1)} or ${promotable + 1}, or use synchronous replication`,
  }] : []),
};
