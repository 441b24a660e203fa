import { everestErrorOf, testChart, type TestManifest } from '../support/cluster';
import { itWithSchemas, MINORS, schemaErrors } from '../support/schema-oracle';
import { DatabaseAccess, EverestAgent, MariaDbCluster, NetworkPeer, PxcCluster, type MariaDbClusterProps, type PxcClusterProps } from '../../src';

const STORAGE = { storage: { size: '10Gi' } };

function manifestsOf(cluster: MariaDbCluster | PxcCluster): TestManifest[] {
  return cluster.objects.map((object) => object.toJson() as TestManifest);
}

function mariadb(props: Partial<MariaDbClusterProps> = {}): MariaDbCluster {
  return new MariaDbCluster(testChart({ namespace: 'shop' }), 'orders', { ...STORAGE, ...props });
}

function pxc(props: Partial<PxcClusterProps> = {}): PxcCluster {
  return new PxcCluster(testChart({ namespace: 'shop' }), 'orders', { ...STORAGE, ...props });
}

function dataOf(manifests: readonly TestManifest[], name: string): Record<string, string> {
  return manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name)!.data as Record<string, string>;
}

function templateOf(manifests: readonly TestManifest[], member = 'orders-1'): TestManifest {
  return manifests.find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === member)!.spec.template as TestManifest;
}

describe('MariaDbCluster', () => {
  it('has a StatefulSet, a claim and a Service of its own for each member, because names and addresses must stay', () => {
    const names = (kind: string) => manifestsOf(mariadb()).filter((manifest) => manifest.kind === kind).map(({ metadata }) => metadata.name);
    expect(names('StatefulSet')).toEqual(['orders-1', 'orders-2', 'orders-3']);
    expect(names('PersistentVolumeClaim')).toEqual(['orders-1-data', 'orders-2-data', 'orders-3-data']);
    expect(names('Service')).toEqual(['orders-rw', 'orders-ro', 'orders-members', 'orders-1', 'orders-2', 'orders-3']);
  });

  for (const minor of MINORS) {
    itWithSchemas(`gives objects that Kubernetes ${minor} takes, also with agent, arbitrator and PMM`, () => {
      const chart = testChart({ namespace: 'shop' });
      const agent = new EverestAgent(chart, 'agent');
      const props = { ...STORAGE, agent, instances: 2, arbitrator: true, pmm: { url: 'https://pmm.example' } };
      const clusters = [mariadb(), new MariaDbCluster(chart, 'orders', props), new PxcCluster(chart, 'billing', props)];
      expect(clusters.flatMap((cluster) => schemaErrors(minor, manifestsOf(cluster)))).toEqual([]);
    });
  }

  it('keeps the Pod template as it is when settings, databases or clients change, because each change of it is a restart', () => {
    const before = templateOf(manifestsOf(mariadb()));
    const changed = mariadb({ parameters: { max_connections: '60' }, databases: [{ name: 'shop' }], network: { allowFrom: [NetworkPeer.ownNamespace()] } });
    expect(templateOf(manifestsOf(changed))).toEqual(before);
  });

  it('refuses clients at the members, because they would bypass the one writer', () => {
    const policies = manifestsOf(mariadb()).filter(({ kind }) => kind === 'NetworkPolicy');
    const members = policies.find(({ metadata }) => metadata.name === 'orders-members')!.spec;
    expect(JSON.stringify(members.ingress)).not.toContain('access.everest.io');
    const proxy = policies.find(({ metadata }) => metadata.name === 'orders-haproxy')!.spec;
    expect(proxy.ingress[0].from).toEqual([{ podSelector: { matchLabels: { 'access.everest.io/orders': 'true' } } }]);
  });

  it('lets exactly the named clients in', () => {
    const cluster = mariadb();
    cluster.allowFrom(NetworkPeer.podsInNamespace('frontend'));
    const proxy = manifestsOf(cluster).find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'orders-haproxy')!;
    expect(proxy.spec.ingress[0].from).toEqual([{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'frontend' } } }]);
  });

  it('asks members for the writer and has no backup servers, because a fixed order would fail back', () => {
    const text = dataOf(manifestsOf(mariadb()), 'orders-haproxy')['haproxy.cfg']!;
    expect(text).toContain('uri /writer');
    expect(text).toContain('server orders-2 orders-2.shop.svc:3306');
    expect(text).not.toContain('backup');
  });

  it('turns off what could start a group by itself or wedge it', () => {
    const member = JSON.parse(dataOf(manifestsOf(mariadb()), 'orders-galera')['galera.json']!) as { providerOptions: Record<string, string> };
    expect(member.providerOptions).toMatchObject({ 'pc.recovery': 'false', 'gcache.recover': 'yes', 'evs.suspect_timeout': 'PT1.5S' });
  });

  it.each([
    ['512Mi', '10Gi', '128M'], ['2Gi', '10Gi', '1G'], ['16Gi', '100Gi', '12G'],
  ])('derives from %s of memory and a volume of %s a buffer pool of %s', (memory, size, pool) => {
    const cluster = mariadb({ resources: { requests: { memory } }, storage: { size } });
    expect(dataOf(manifestsOf(cluster), 'orders-galera')['my.cnf']).toContain(`innodb_buffer_pool_size=${pool}\n`);
  });

  it('gives rights by name only, because a right on all Secrets would be one on all databases', () => {
    const roles = manifestsOf(mariadb()).filter(({ kind }) => kind === 'Role');
    expect(roles.flatMap((role) => role.rules as Array<{ resourceNames?: string[] }>).filter(({ resourceNames }) => !resourceNames?.length)).toEqual([]);
  });

  it('knows the Secret of an owner, and says which owners there are', () => {
    const cluster = mariadb({ databases: [{ name: 'shop', owner: 'shop_owner' }] });
    expect(cluster.connectionSecretName()).toBe('orders-shop-owner');
    expect(everestErrorOf(() => cluster.connectionSecretName('nobody')).message).toContain('there are shop_owner');
    expect(everestErrorOf(() => cluster.apiObject('Service', 'orders-wr')).message).toContain('Service/orders-rw');
  });

  it('has the arbitrator only where it is asked for', () => {
    expect(manifestsOf(mariadb()).filter(({ metadata }) => metadata.name === 'orders-arbitrator')).toEqual([]);
    const two = manifestsOf(mariadb({ instances: 2, arbitrator: true })).filter(({ metadata }) => metadata.name === 'orders-arbitrator');
    expect(two.map(({ kind }) => kind)).toEqual(['NetworkPolicy', 'Deployment']);
  });
});

describe('PxcCluster', () => {
  it('uses the vendor\'s image for the series and for the programs of backups, and runs the script beside it, because that image has no Python', () => {
    const { spec } = templateOf(manifestsOf(pxc({ version: '8.0' })));
    expect((spec.containers as Array<{ name: string; image: string }>).map(({ name, image }) => [name, image])).toEqual([
      ['pxc', 'percona/percona-xtradb-cluster:8.0.45-36.1'], ['tools', 'percona/percona-xtradb-cluster:8.0.45-36.1'], ['member', 'cdk8s-everest/mariadb:11.8'],
    ]);
  });

  it('has settings of its own', () => {
    const text = dataOf(manifestsOf(pxc()), 'orders-galera')['my.cnf']!;
    expect(text).toContain('wsrep_sst_method=xtrabackup-v2\n');
    expect(text).toContain('pxc_strict_mode=ENFORCING\n');
    expect(text).not.toContain('wsrep_gtid_mode');
  });

  it('has the client of PMM beside each member, with passwords by reference', () => {
    const { spec } = templateOf(manifestsOf(pxc({ pmm: { url: 'http://pmm-server.monitoring.svc.cluster.local' } })));
    const client = (spec.containers as Array<{ name: string; env: Array<{ name: string; value?: string; valueFrom?: unknown }> }>).find(({ name }) => name === 'pmm-client')!;
    const value = (name: string) => client.env.find((entry) => entry.name === name)!;
    expect(value('PMM_AGENT_SERVER_ADDRESS').value).toBe('pmm-server.monitoring.svc.cluster.local:443');
    expect(value('PMM_AGENT_SERVER_INSECURE_TLS').value).toBe('1');
    expect(value('PMM_AGENT_SERVER_PASSWORD').valueFrom).toEqual({ secretKeyRef: { name: 'orders-pmm', key: 'token', optional: true } });
    expect(value('DB_PASSWORD').valueFrom).toEqual({ secretKeyRef: { name: 'orders-credentials', key: 'monitor' } });
  });
});

describe('users of a Galera cluster', () => {
  const roles = [
    { name: 'reporting', grants: [{ database: 'app', access: DatabaseAccess.readOnly() }], connectionLimit: 5, secretName: 'reporting-password' },
    { name: 'worker', grants: [{ database: 'app', access: DatabaseAccess.readWrite() }] },
    { name: 'app', grants: [{ database: 'ledger', access: DatabaseAccess.readOnly() }] },
  ];
  const props = { databases: [{ name: 'app' }, { name: 'ledger', owner: 'accounting' }], roles };
  const documentOf = (manifests: TestManifest[]) => JSON.parse(dataOf(manifests, 'orders-galera')['galera.json']!) as Record<string, unknown>;

  it.each([['MariaDB', mariadb], ['Percona XtraDB Cluster', pxc]] as const)('are told to the members of %s in the server\'s words', (_, make) => {
    expect(documentOf(manifestsOf(make(props)))).toMatchObject({
      owners: [{ role: 'app', secret: 'orders-app', grants: [{ database: 'ledger', privileges: 'SELECT, SHOW VIEW' }] }, { role: 'accounting' }],
      roles: [
        { role: 'reporting', secret: 'reporting-password', generate: false, connectionLimit: 5, connection: { dbname: 'app' }, grants: [{ database: 'app', privileges: 'SELECT, SHOW VIEW' }] },
        { role: 'worker', secret: 'orders-worker', generate: true, grants: [{ database: 'app', privileges: 'SELECT, SHOW VIEW, INSERT, UPDATE, DELETE, EXECUTE, CREATE TEMPORARY TABLES' }] },
      ],
    });
  });

  it('have Secrets that members fill, or only read where they are somebody else\'s', () => {
    const cluster = mariadb(props);
    const manifests = manifestsOf(cluster);
    expect(manifests.filter(({ kind }) => kind === 'Secret').map(({ metadata }) => metadata.name)).toEqual(
      ['orders-credentials', 'orders-tls', 'orders-app', 'orders-accounting', 'orders-worker']);
    const { rules } = manifests.find(({ kind, metadata }) => kind === 'Role' && metadata.name === 'orders')! as unknown as { rules: Array<{ resourceNames: string[]; verbs: string[] }> };
    expect(rules.find(({ resourceNames }) => resourceNames.includes('orders-worker'))!.verbs).toEqual(['get', 'patch']);
    expect(rules.find(({ resourceNames }) => resourceNames.includes('reporting-password'))!.verbs).toEqual(['get']);
    expect(cluster.connectionSecretName('worker')).toBe('orders-worker');
  });

  it('change nothing of a member where there are none, and come without a restart', () => {
    expect(documentOf(manifestsOf(mariadb()))).not.toHaveProperty('roles');
    expect(templateOf(manifestsOf(mariadb(props)))).toEqual(templateOf(manifestsOf(mariadb())));
  });
});
