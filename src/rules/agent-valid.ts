import { DNS_LABEL } from './names';
import { podViolations } from './pod-valid';
import type { Rule } from './rule';
import type { ResolvedAgent } from '../resolve/agent';

export const agentValid: Rule<ResolvedAgent> = {
  code: 'EV1507',
  title: 'An agent that Kubernetes would refuse',
  cause: 'agentName or namespace is no DNS label or longer than 63 characters, or the image, resources or placement is malformed.',
  consequence: 'Kubernetes would refuse the objects',
  fix: 'Correct the option; names are lower-case letters, digits and "-"',
  check: (agent) => [
    ...Object.entries({ agentName: agent.name, namespace: agent.namespace })
      .filter(([, value]) => !DNS_LABEL.test(value) || value.length > 63)
      .map(([field, value]) => ({ path: [field], problem: `${field} is ${JSON.stringify(value)}` })),
    ...podViolations(agent),
  ],
};
