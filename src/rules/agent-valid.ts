import { DNS_LABEL } from './names';
import type { Rule } from './rule';
import type { ResolvedAgent } from '../resolve/agent';

export const agentValid: Rule<ResolvedAgent> = {
  code: 'EV1507',
  title: 'An agent with a name that cannot be used',
  cause: 'agentName or namespace is no DNS label, or longer than 63 characters.',
  consequence: 'Kubernetes would refuse the objects',
  fix: 'Use lower-case letters, digits and "-", starting and ending with a letter or digit',
  check: ({ name, namespace }) => Object.entries({ agentName: name, namespace })
    .filter(([, value]) => !DNS_LABEL.test(value) || value.length > 63)
    .map(([field, value]) => ({ path: [field], problem: `${field} is ${JSON.stringify(value)}` })),
};
