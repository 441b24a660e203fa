import type { PostgresRule } from './rule';

export const disruptionValid: PostgresRule = {
  code: 'EV1504',
  title: 'A disruption budget that helps nobody',
  cause: 'podDisruption allows 0 members or fewer, all members, or no whole number.',
  consequence: 'With 0, no node could ever be drained; with all, a drain may take the whole cluster',
  fix: 'Allow 1 member',
  check: ({ props, members }) => {
    const given = props.podDisruption?.members;
    if (given === undefined || members === 0 || (Number.isInteger(given) && given >= 1 && given < members)) return [];
    return [{
      path: ['podDisruption'],
      problem: `maxUnavailable is ${given} of ${members} members`,
      ...(members === 1 ? { fix: 'Leave podDisruption out: a budget for a single member only blocks drains' } : {}),
    }];
  },
};
