import { DNS_LABEL_LETTER } from './names';
import type { PostgresRule } from './rule';

export const clusterNameValid: PostgresRule = {
  code: 'EV1101',
  title: 'The name of the cluster is not a DNS label',
  cause: 'clusterName (or the construct id that stands in for it) holds other characters than a-z, 0-9 and "-", or does not start with a letter.',
  consequence: 'Kubernetes would refuse the objects that carry the name',
  fix: 'Use lower-case letters, digits and "-", starting with a letter and ending with a letter or digit',
  check: ({ clusterName }) => (DNS_LABEL_LETTER.test(clusterName) ? [] : [{
    path: ['clusterName'],
    problem: `clusterName is ${JSON.stringify(clusterName)}`,
  }]),
};
