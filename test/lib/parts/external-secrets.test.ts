import { Duration } from 'cdk8s';
import { Credentials, Protection } from '../../../src';
import { memberRole } from '../../../src/parts/access';
import { externalSecrets } from '../../../src/parts/external-secrets';
import { postgresManifests } from '../../../src/parts/postgres-manifests';
import { resolved } from '../../support/cluster';

const AGENT = { agentName: 'everest-agent' } as never;
const credentials = Credentials.external({ store: 'vault', refreshInterval: Duration.minutes(5) });

interface Spec {
  readonly secretStoreRef: unknown;
  readonly refreshInterval: string;
  readonly target: { readonly name: string; readonly creationPolicy: string; readonly template: { readonly data: Record<string, string> } };
  readonly data: Array<{ readonly secretKey: string; readonly remoteRef: { readonly key: string; readonly property: string } }>;
}

function specs(props: object = {}): Spec[] {
  return externalSecrets(resolved({ credentials, ...props })).map((manifest) => manifest.spec as Spec);
}

describe('externalSecrets', () => {
  it('makes one for the cluster and one for each role that logs in, and none for a Secret of somebody else', () => {
    const roles = [{ name: 'bi' }, { name: 'team', login: false }, { name: 'ci', secretName: 'ci-login' }];
    expect(specs({ agent: AGENT, roles }).map(({ target }) => target.name)).toEqual(['orders-credentials', 'orders-app', 'orders-bi']);
  });

  it('asks for exactly the keys that members need, and for the agent\'s where there is one', () => {
    const keys = (props: object) => specs(props)[0]!.data.map(({ remoteRef }) => `${remoteRef.key}#${remoteRef.property}`);
    const needed = ['superuser', 'replication', 'rewind', 'pooler'].map((key) => `shop/orders/credentials#${key}`);
    expect(keys({})).toEqual(needed);
    expect(keys({ agent: AGENT })).toEqual([...needed, 'shop/orders/credentials#agent']);
  });

  it('makes the whole connection of a role from its password', () => {
    expect(specs()[1]!.target.template.data).toEqual({
      'host': 'orders-rw.shop.svc', 'port': '5432', 'dbname': 'app', 'user': 'app',
      'uri': 'postgresql://app:{{ .password | urlquery }}@orders-rw.shop.svc:5432/app',
      'jdbc-uri': 'jdbc:postgresql://orders-rw.shop.svc:5432/app?user=app&password={{ .password | urlquery }}',
    });
  });

  it('names the store, its kind and how often it is read', () => {
    expect(specs()[0]).toMatchObject({ secretStoreRef: { name: 'vault', kind: 'SecretStore' }, refreshInterval: '300s' });
    const wide = Credentials.external({ store: 'vault', clusterStore: true, keyPrefix: 'db/prod' });
    expect(specs({ credentials: wide })[1]).toMatchObject({
      secretStoreRef: { name: 'vault', kind: 'ClusterSecretStore' }, refreshInterval: '3600s', data: [{ remoteRef: { key: 'db/prod/app' } }],
    });
  });

  it('leaves the passwords as long as the data', () => {
    expect(specs()[0]!.target.creationPolicy).toBe('Orphan');
    expect(specs({ protection: Protection.deleteWithCluster() })[0]!.target.creationPolicy).toBe('Owner');
  });

  it('makes no Secret and lets nobody write into one, because the operator would take it back', () => {
    const cluster = resolved({ credentials, agent: AGENT });
    const manifests = postgresManifests(cluster, { peers: { clients: [], apiServer: [], dns: [] }, contract: '{}' });
    expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    const rules = [memberRole(cluster), ...manifests.filter(({ kind, metadata }) => kind === 'Role' && metadata.name === 'orders-agent')]
      .flatMap(({ rules: list }) => list as Array<{ resources: string[]; verbs: string[] }>);
    expect(rules.filter(({ resources }) => resources.includes('secrets')).map(({ verbs }) => verbs)).toEqual([['get'], ['get']]);
  });
});
