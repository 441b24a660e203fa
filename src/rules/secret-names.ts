import { DNS_SUBDOMAIN } from './names';
import type { PostgresRule, Violation } from './rule';
import type { PostgresClusterProps } from '../postgres-cluster-props';

type Named = [path: Array<string | number>, name: string | undefined];

function namedSecrets({ credentials, roles = [], imagePullSecrets = [] }: PostgresClusterProps): Named[] {
  return [
    [['credentials', 'secretName'], credentials?.secretName],
    [['credentials', 'externalStore', 'store'], credentials?.externalStore?.store],
    ...roles.map(({ secretName }, index): Named => [['roles', index, 'secretName'], secretName]),
    ...imagePullSecrets.map((name, index): Named => [['imagePullSecrets', index], name]),
  ];
}

/** Untyped code can make credentials that say nothing. */
function nameless({ credentials }: PostgresClusterProps): Violation[] {
  if (!credentials || credentials.generates || credentials.externalStore) return [];
  return credentials.secretName === undefined ? [{ path: ['credentials'], problem: 'no Secret is named' }] : [];
}

export const secretNames: PostgresRule = {
  code: 'EV1601',
  title: 'A name that no Secret can have',
  cause: 'credentials, a role or imagePullSecrets names a Secret or a SecretStore with characters that Kubernetes does not allow.',
  consequence: 'Members would wait for ever for a Secret that cannot exist',
  fix: 'Name an existing Secret of the same namespace',
  check: ({ props }) => {
    const broken = namedSecrets(props).flatMap(([path, name]) =>
      (name === undefined || (DNS_SUBDOMAIN.test(name) && name.length <= 253)
        ? [] : [{ path, problem: `the name is ${JSON.stringify(name)}` }]));
    return [...nameless(props), ...broken];
  },
};
