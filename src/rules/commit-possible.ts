import type { PostgresRule } from './rule';

export const commitPossible: PostgresRule = {
  code: 'EV1203',
  title: 'Replication that leaves no commit possible',
  cause: 'Commits are to wait for more standbys than the cluster has.',
  consequence: 'No commit could finish, or (without strict) none would ever be as safe as it was asked to be',
  fix: 'Ask for fewer standbys or more instances',
  check: ({ props, promotable }) => {
    const replication = props.replication;
    const standbys = promotable - 1;
    if (!replication || replication.mode === 'asynchronous') return [];
    if (!Number.isInteger(replication.standbys) || replication.standbys < 1) {
      return [{ path: ['replication', 'standbys'], problem: `standbys is ${replication.standbys}`, fix: 'Use a whole number from 1 on' }];
    }
    return replication.standbys <= standbys ? [] : [{
      path: ['replication', 'standbys'],
      problem: `standbys is ${replication.standbys}, and of ${promotable} members that may become primary, `
        + `${Math.max(standbys, 0)} are standbys`,
      fix: `Have ${replication.standbys + 1} such members or more, or ${standbys > 0 ? `set standbys to at most ${standbys}` : 'use Replication.asynchronous()'}`,
    }];
  },
};
