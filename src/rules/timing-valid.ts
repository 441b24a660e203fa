import type { PostgresRule, Violation } from './rule';
import { resolveTiming } from '../resolve/postgres';

/** Patroni's own minima: below them it takes the minimum in silence. */
const LEAST = { ttl: 20, loopWait: 1, retryTimeout: 3 } as const;
/** A primary that is dead for an hour is not highly available any more. */
const MOST_TTL = 3600;

export const timingValid: PostgresRule = {
  code: 'EV1304',
  title: 'A lease that Patroni would change',
  cause: 'ttl is below 20 s or above 3600 s, loopWait below 1 s or retryTimeout below 3 s, one of them is no whole number of seconds, or loopWait + 2 × retryTimeout is more than ttl.',
  consequence: 'Patroni would run with other values than the manifests say, or a primary would lose its lease while it still tries to renew it',
  fix: 'Keep loopWait + 2 × retryTimeout at or below ttl',
  check: ({ props }) => {
    const timing = resolveTiming(props.timing);
    const small = (Object.keys(LEAST) as Array<keyof typeof LEAST>)
      .filter((key) => timing[key] < LEAST[key] || !Number.isInteger(timing[key]))
      .map((key): Violation => ({
        path: ['timing', key], problem: `${key} is ${timing[key]} s`, fix: `Use a whole number of seconds, ${LEAST[key]} or more`,
      }));
    const { ttl, loopWait, retryTimeout } = timing;
    if (ttl > MOST_TTL) {
      return [...small, {
        path: ['timing', 'ttl'],
        problem: `ttl is ${ttl} s`,
        consequence: 'Nobody would take the place of a dead primary for so long',
        fix: `Use ${MOST_TTL} s or less`,
      }];
    }
    const need = loopWait + 2 * retryTimeout;
    return need <= ttl ? small : [...small, {
      path: ['timing'],
      problem: `loopWait ${loopWait} s + 2 × retryTimeout ${retryTimeout} s is ${need} s; ttl is ${ttl} s`,
      fix: `Set ttl to ${need} s or more, or shorten the others`,
    }];
  },
};
