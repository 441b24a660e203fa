import type { PostgresClusterProps } from '../postgres-cluster-props';
import { MIB, parseQuantity, readableBytes } from '../quantity';
import type { PostgresRule } from './rule';
import { smallestMember, type ResolvedGroup } from '../resolve/groups';
import { memoryNeed, memoryShares } from '../resolve/parameters';

/** With less, Patroni and an idle PostgreSQL with 30 connections already need most of it. */
export const LEAST_MEMORY = 512 * MIB;

/** Where the memory of the smallest member stands in the props. */
function memoryPath(props: PostgresClusterProps, groups: readonly ResolvedGroup[]): Array<string | number> {
  const { memoryBytes } = smallestMember(groups);
  const smallest = groups.findIndex((group) => parseQuantity(group.resources.limits.memory) === memoryBytes);
  const own = smallest > 0 ? props.memberGroups?.[smallest - 1]?.resources : undefined;
  const kind = (own ?? props.resources)?.limits?.memory ? 'limits' : 'requests';
  return [...(own ? groups[smallest]!.path : []), 'resources', kind, 'memory'];
}

export const memoryFits: PostgresRule = {
  code: 'EV1207',
  title: 'Memory settings that cannot fit the limit',
  cause: 'shared_buffers, the connections with one work_mem each, maintenance memory of the autovacuum workers and about 96 MiB for Patroni add up to more than the memory limit.',
  consequence: 'Under load the kernel would kill PostgreSQL, and each kill ends all connections',
  fix: 'Raise resources.limits.memory, or lower shared_buffers, max_connections or work_mem',
  check: ({ props, groups }) => {
    const facts = smallestMember(groups);
    if (!Number.isFinite(facts.memoryBytes)) return [];
    const path = memoryPath(props, groups);
    if (facts.memoryBytes < LEAST_MEMORY) {
      return [{ path, problem: `a member has ${readableBytes(facts.memoryBytes)} of memory`, fix: `Give it ${readableBytes(LEAST_MEMORY)} or more` }];
    }
    const shares = memoryShares(facts, props.parameters);
    const need = memoryNeed(shares);
    return need <= facts.memoryBytes ? [] : [{
      path: props.parameters ? ['parameters'] : path,
      problem: `shared_buffers ${readableBytes(shares.sharedBuffers)}, ${shares.maxConnections} connections with work_mem `
        + `${readableBytes(shares.workMemory)} and the rest need ${readableBytes(need)}; the limit is ${readableBytes(facts.memoryBytes)}`,
    }];
  },
};
