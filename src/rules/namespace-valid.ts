import { DNS_LABEL } from './names';
import type { PostgresRule } from './rule';

export const namespaceValid: PostgresRule = {
  code: 'EV1104',
  title: 'The namespace is not a DNS label',
  cause: 'namespace holds other characters than a-z, 0-9 and "-", or more than 63.',
  consequence: 'Kubernetes would refuse every object',
  fix: 'Name an existing namespace',
  check: ({ namespace }) => (DNS_LABEL.test(namespace) && namespace.length <= 63 ? [] : [{
    path: ['namespace'],
    problem: `namespace is ${JSON.stringify(namespace)}`,
  }]),
};
