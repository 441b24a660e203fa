import { DEFAULT_GROUP, memberName } from '../contract/names';
import type { Placement } from '../placement';
import type { PostgresClusterProps } from '../postgres-cluster-props';
import { parseQuantity } from '../quantity';
import type { Resources } from '../resources';
import type { PostgresStorage } from '../storage';

/** Members when nothing is said: the fewest that keep a majority and a spare after one loss. */
export const DEFAULT_INSTANCES = 3;
const DEFAULT_CPU = '500m';
const DEFAULT_MEMORY = '1Gi';

/** Quantities as they go into the container: every member has requests, and a memory limit. */
export interface ResolvedResources {
  readonly requests: { readonly cpu: string; readonly memory: string };
  readonly limits: { readonly cpu?: string; readonly memory: string };
}

export interface ResolvedGroup {
  readonly name: string;
  readonly members: string[];
  readonly promotable: boolean;
  readonly placement: Placement;
  readonly resources: ResolvedResources;
  readonly storage: PostgresStorage;
  /** Where the group's own settings stand in the props: `memberGroups[0]`, or nothing for the default group. */
  readonly path: Array<string | number>;
}

/** A limit serves as request where only it is given, and the other way round for memory. */
export function resolveResources(resources: Resources = {}): ResolvedResources {
  const { requests = {}, limits = {} } = resources;
  const memory = limits.memory ?? requests.memory ?? DEFAULT_MEMORY;
  return {
    requests: { cpu: requests.cpu ?? limits.cpu ?? DEFAULT_CPU, memory: requests.memory ?? memory },
    limits: { ...(limits.cpu ? { cpu: limits.cpu } : {}), memory },
  };
}

/**
 * Of one group. More would only slow the primary down: each standby is a stream of its own. Cascades have to be built
 * by hand.
 */
export const MOST_MEMBERS = 20;

function memberNames(cluster: string, group: string, count: number): string[] {
  // Guards the arrays against counts that a rule refuses right after.
  const sane = Number.isInteger(count) && count > 0 && count <= 1000 ? count : 0;
  return Array.from({ length: sane }, (_, index) => memberName(cluster, group, index + 1));
}

/** The default group first, then the others as they were given. */
export function resolveGroups(clusterName: string, props: PostgresClusterProps): ResolvedGroup[] {
  const base = {
    promotable: true,
    placement: props.placement ?? {},
    resources: resolveResources(props.resources),
    storage: props.storage,
  };
  const others = (props.memberGroups ?? []).map((group, index): ResolvedGroup => ({
    name: group.name,
    members: memberNames(clusterName, group.name, group.instances),
    promotable: group.promotable ?? true,
    placement: group.placement ?? base.placement,
    resources: group.resources ? resolveResources(group.resources) : base.resources,
    storage: group.storage ?? base.storage,
    path: ['memberGroups', index],
  }));
  const count = props.instances ?? DEFAULT_INSTANCES;
  return [{ ...base, name: DEFAULT_GROUP, members: memberNames(clusterName, DEFAULT_GROUP, count), path: [] },
    ...others];
}

/** What a member has: memory limit, cores, and the volume of its write-ahead log. */
export interface MemberSize {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly walBytes: number;
}

/** The smallest member of all groups: PostgreSQL's settings are the same on every member, so they must fit this one. */
export function smallestMember(groups: readonly ResolvedGroup[]): MemberSize {
  const least = (pick: (group: ResolvedGroup) => string) =>
    Math.min(...groups.map((group) => parseQuantity(pick(group)) ?? Infinity));
  return {
    memoryBytes: least((group) => group.resources.limits.memory),
    cpus: least((group) => group.resources.limits.cpu ?? group.resources.requests.cpu),
    walBytes: least((group) => group.storage.walSize ?? group.storage.size),
  };
}
