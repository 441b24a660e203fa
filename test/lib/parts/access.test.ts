import { Credentials, Protection } from '../../../src';
import { emptySecrets, memberRole, memberRoleBinding, serviceAccount } from '../../../src/parts/access';
import { resolved } from '../../support/cluster';

type Rule = { resources: string[]; resourceNames?: string[]; verbs: string[] };

function secretRule(cluster = resolved()): Rule {
  return (memberRole(cluster).rules as Rule[]).find((rule) => rule.resources.includes('secrets'))!;
}

describe('access', () => {
  it('lets members read and fill exactly the cluster\'s own Secrets, because a namespace holds others too', () => {
    expect(secretRule(resolved({ databases: [{ name: 'a', owner: 'x' }] }))).toEqual({
      apiGroups: [''], resources: ['secrets'], resourceNames: ['orders-credentials', 'orders-x'], verbs: ['get', 'patch'],
    });
  });

  it('takes the right to change Secrets away where they exist already', () => {
    expect(secretRule(resolved({ credentials: Credentials.existing('vault') })).verbs).toEqual(['get']);
  });

  it('never grants delete or wildcards, because nothing of the members needs them', () => {
    const rules = memberRole(resolved()).rules as Rule[];
    expect(rules.flatMap((rule) => [...rule.verbs, ...rule.resources]).filter((word) => /^(\*|delete.*|update|escalate|bind|impersonate)$/.test(word))).toEqual([]);
  });

  it('makes a Secret for the cluster and for each owner, without values, so that nothing secret is in Git', () => {
    const secrets = emptySecrets(resolved());
    expect(secrets.map(({ metadata }) => metadata.name)).toEqual(['orders-credentials', 'orders-app']);
    expect(secrets.filter((secret) => 'data' in secret || 'stringData' in secret)).toEqual([]);
  });

  it('makes no Secret where they exist already, because it would empty them', () => {
    expect(emptySecrets(resolved({ credentials: Credentials.existing('vault') }))).toEqual([]);
  });

  it('asks GitOps tools to keep the Secrets as long as the data stays, because a volume without its passwords is lost', () => {
    expect(emptySecrets(resolved())[0]!.metadata.annotations).toHaveProperty(['helm.sh/resource-policy'], 'keep');
    expect(emptySecrets(resolved({ protection: Protection.deleteWithCluster() }))[0]!.metadata.annotations).toBeUndefined();
  });

  it('mounts the token only where a Pod asks for it', () => {
    expect(serviceAccount(resolved()).automountServiceAccountToken).toBe(false);
  });

  it('binds the Role to the ServiceAccount of the same namespace', () => {
    expect(memberRoleBinding(resolved())).toMatchObject({
      roleRef: { kind: 'Role', name: 'orders' }, subjects: [{ kind: 'ServiceAccount', name: 'orders', namespace: 'shop' }],
    });
  });
});
