import type { PoolerOptions } from '../pooler';
import { DNS_LABEL } from './names';
import { podViolations } from './pod-valid';
import type { Rule, Violation } from './rule';
import { loginCount, resolvePooler } from '../resolve/pooler';
import type { ResolvedPostgres } from '../resolve/postgres';

/** What the rule about one pooler looks at. */
export interface PoolerRuleInput {
  readonly cluster: ResolvedPostgres;
  readonly options: PoolerOptions;
}

const MOST_INSTANCES = 20;

function wholeNumber(name: keyof PoolerOptions, value: number, most: number): Violation[] {
  if (Number.isInteger(value) && value >= 1 && value <= most) return [];
  return [{ path: [name], problem: `${name} is ${value}`, fix: `Use a whole number from 1 to ${most}` }];
}

function poolFits({ cluster, options }: PoolerRuleInput): Violation[] {
  const { poolSize, instances } = resolvePooler(cluster, options);
  const most = Number(cluster.patroni.postgresql.parameters.max_connections);
  const all = poolSize * instances * loginCount(cluster);
  return all <= most ? [] : [{
    path: ['poolSize'],
    problem: `${instances} Pods with ${poolSize} connections for each of ${loginCount(cluster)} logins are ${all}; max_connections is ${most}`,
    consequence: 'Under load PostgreSQL would refuse connections, also those of people who come to help',
  }];
}

export const poolerValid: Rule<PoolerRuleInput> = {
  code: 'EV1506',
  title: 'A pooler that does not fit its cluster',
  cause: 'The name, image, resources or placement is malformed, a number is not whole or out of range, or all pools together are larger than max_connections.',
  consequence: 'Kubernetes would refuse the objects, or the pooler would refuse its clients',
  fix: 'Correct the option; leave poolSize out for one that fits',
  check: (input) => {
    const pooler = resolvePooler(input.cluster, input.options);
    const { objectName, name, instances, poolSize, maxClientConnections, image } = pooler;
    const valid = DNS_LABEL.test(name) && objectName.length <= 63;
    const problems = [
      ...(valid ? [] : [{ path: ['name'], problem: `the name ${JSON.stringify(name)} is no DNS label, or ${objectName} is longer than 63` }]),
      ...wholeNumber('instances', instances, MOST_INSTANCES),
      ...wholeNumber('poolSize', poolSize, 10_000),
      ...wholeNumber('maxClientConnections', maxClientConnections, 100_000),
      ...podViolations({ ...input.options, image }),
    ];
    return problems.length > 0 ? problems : poolFits(input);
  },
};
