import { DNS_SUBDOMAIN } from './names';
import type { PostgresRule } from './rule';

export const secretNames: PostgresRule = {
  code: 'EV1601',
  title: 'A name that no Secret can have',
  cause: 'credentials or imagePullSecrets names a Secret with characters that Kubernetes does not allow.',
  consequence: 'Members would wait for ever for a Secret that cannot exist',
  fix: 'Name an existing Secret of the same namespace',
  check: ({ props }) => {
    const names: Array<[Array<string | number>, string | undefined]> = [
      [['credentials', 'secretName'], props.credentials?.secretName],
      ...(props.imagePullSecrets ?? []).map((name, index): [Array<string | number>, string] => [['imagePullSecrets', index], name]),
    ];
    const { generates = true, secretName } = props.credentials ?? {};
    const nameless = generates || secretName !== undefined ? [] : [{ path: ['credentials'], problem: 'no Secret is named' }];
    const broken = names.flatMap(([path, name]) =>
      (name === undefined || (DNS_SUBDOMAIN.test(name) && name.length <= 253)
        ? [] : [{ path, problem: `the name is ${JSON.stringify(name)}` }]));
    return [...nameless, ...broken];
  },
};
