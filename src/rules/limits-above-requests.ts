import { parseQuantity } from '../quantity';
import type { Resources } from '../resources';
import type { PostgresRule, Violation } from './rule';

/** Limits below their requests, of whatever has resources. */
export function limitViolations(path: Array<string | number>,
  { requests = {}, limits = {} }: Resources = {}): Violation[] {
  return (['cpu', 'memory'] as const).flatMap((name) => {
    const [request, limit] = [parseQuantity(requests[name] ?? ''), parseQuantity(limits[name] ?? '')];
    if (request === undefined || limit === undefined || limit >= request) return [];
    return [{
      path: [...path, 'limits', name],
      problem: `the limit ${limits[name]} is below the request ${requests[name]}`,
      fix: `Set limits.${name} to ${requests[name]} or more`,
    }];
  });
}

export const limitsAboveRequests: PostgresRule = {
  code: 'EV1206',
  title: 'A limit below its request',
  cause: 'resources.limits asks for less than resources.requests.',
  consequence: 'Kubernetes would refuse the Pods',
  fix: 'Raise the limit or lower the request',
  check: ({ props }) => [
    ...limitViolations(['resources'], props.resources),
    ...(props.memberGroups ?? []).flatMap((group, index) => limitViolations(['memberGroups', index, 'resources'], group.resources)),
  ],
};
