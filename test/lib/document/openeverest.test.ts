import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseCluster, PoolMode } from '../../../src';
import { readIni, readPostgresConfig } from '../../../src/document/openeverest/config-lines';
import { parseOverride } from '../../../src/document/overrides';
import { readClusters, type ClusterDocument, type PostgresParts, type ReadOptions } from '../../../src/document/read';
import { renderFinding } from '../../../src/errors';
import { testChart } from '../../support/cluster';

const HEAD = 'apiVersion: everest.percona.com/v1alpha1\nkind: DatabaseCluster\nmetadata: { name: orders, namespace: everest }\nspec:\n';
const STORAGES = ['near', 'far', 'third'].map((name) => `---\napiVersion: everest.percona.com/v1alpha1\nkind: BackupStorage\nmetadata: { name: ${name} }\nspec: { type: s3, bucket: ${name}-bucket, credentialsSecretName: s3 }\n`).join('');

function example(): string {
  return readFileSync(join(__dirname, '..', '..', '..', 'examples', 'openeverest-postgresql.yaml'), 'utf8');
}

function read(text: string, options: ReadOptions = {}) {
  return readClusters(text, { file: 'db.yaml', ...options });
}

/** A cluster with more lines in `spec` and in `spec.engine`. */
function cluster(spec = '', engine = ''): string {
  return `${HEAD}  engine:\n    type: postgresql\n    storage: { size: 10Gi }\n${engine}${spec}`;
}

/** `[EV1009] db.yaml:7:3: spec.paused` of each finding. */
function places(text: string): string[] {
  return read(text).findings.map((finding) => /^\[EV\d+\] [^ ]+ [^ ]+/.exec(renderFinding(finding, ''))![0].replace(/:$/, ''));
}

function propsOf(text: string) {
  const { clusters, findings } = read(text);
  expect(findings).toEqual([]);
  return clusters[0] as ClusterDocument & PostgresParts;
}

describe('a DatabaseCluster of OpenEverest with the engine postgresql', () => {
  it('becomes the props of a cluster and the pooler that OpenEverest always has', () => {
    const { name, namespace, props, pooler } = propsOf(example());
    expect({ name, namespace }).toEqual({ name: 'invoices', namespace: 'everest' });
    expect(props).toMatchObject({
      version: '17.11', instances: 3, storage: { size: '25Gi', storageClassName: 'standard' },
      resources: { limits: { cpu: '1', memory: '4G' }, requests: { cpu: '600m', memory: '4G' } },
      parameters: { max_connections: '300', log_min_duration_statement: '250ms' },
      placement: { antiAffinity: { mode: 'required', topologyKey: 'kubernetes.io/hostname' }, nodeSelector: { disk: 'fast' } },
      labels: { team: 'billing' },
    });
    expect(pooler).toMatchObject({
      instances: 2, poolMode: PoolMode.transaction(), poolSize: 20, maxClientConnections: 500,
      placement: { antiAffinity: { mode: 'preferred', topologyKey: 'topology.kubernetes.io/zone' } },
    });
  });

  it('sends each schedule to the repository of its storage, with that storage\'s number of copies', () => {
    const { backup } = propsOf(example()).props;
    expect(backup).toMatchObject({
      storage: { s3Options: { bucket: 'company-backups', endpoint: 'minio.storage.svc:9000', pathStyle: true } },
      retention: { type: 'count', amount: 7 },
      secondary: { storage: { s3Options: { bucket: 'company-backups-far', pathStyle: false } }, retention: { amount: 9999 } },
      schedules: [{ name: 'nightly', cron: '0 2 * * *' }, { name: 'weekly', suspend: true, toSecondary: true }],
    });
    expect(backup!.archiveTimeout!.toSeconds()).toBe(60);
  });

  it('gets objects from fromYaml, the pooler\'s among them', () => {
    const { clusters } = DatabaseCluster.fromYaml(testChart(), 'db', example());
    expect(clusters[0]!.node.findAll().map(({ node }) => node.id)).toContain('Deployment-invoices-pooler-rw');
  });

  it('has three members and a pooler in session mode where nothing is said, because clients of PgBouncer\'s default may keep state', () => {
    const { props, pooler } = propsOf(cluster());
    expect(props.instances).toBe(3);
    expect(pooler).toMatchObject({ instances: 3, poolMode: PoolMode.session() });
  });

  it('takes the older spelling of resources for limits, and requests what is limited, as Kubernetes does', () => {
    expect(propsOf(cluster('', '    resources: { cpu: 2, memory: 4Gi }\n')).props.resources)
      .toEqual({ limits: { cpu: '2', memory: '4Gi' }, requests: { cpu: '2', memory: '4Gi' } });
  });

  it('takes what OpenEverest writes empty for what nobody wants', () => {
    const empty = '  proxy: { expose: { type: internal, ipSourceRanges: [], loadBalancerConfigName: "" } }\n  monitoring: { monitoringConfigName: "", resources: {} }\n  podSchedulingPolicyName: ""\n  engineFeatures: {}\n  dataSource: {}\n';
    propsOf(cluster(empty, '    crVersion: ""\n    userSecretsName: ""\n    version: ""\n'));
  });

  it('takes --set in the types of its own fields', () => {
    const overrides = ['spec.engine.replicas=5', 'spec.engine.version=17', 'spec.allowUnsafeConfiguration=true', 'spec.engine.storage.size=600Mi'];
    const { clusters, findings } = read(cluster(), { overrides: overrides.map((text) => parseOverride(text)!) });
    expect(findings).toEqual([]);
    expect(clusters[0]!.props).toMatchObject({ instances: 5, version: '17', storage: { size: '600Mi' } });
  });
});

describe('what has no counterpart', () => {
  it.each([
    ['paused: true', 'spec.paused'],
    ['proxy: { expose: { type: LoadBalancer } }', 'spec.proxy.expose.type'],
    ['proxy: { expose: { type: NodePort } }', 'spec.proxy.expose.type'],
    ['proxy: { expose: { ipSourceRanges: [10.0.0.0/8] } }', 'spec.proxy.expose.ipSourceRanges'],
    ['proxy: { expose: { loadBalancerConfigName: aws } }', 'spec.proxy.expose.loadBalancerConfigName'],
    ['proxy: { storage: { size: 1Gi } }', 'spec.proxy.storage'],
    ['dataSource: { dbClusterBackupName: a }', 'spec.dataSource.dbClusterBackupName'],
    ['dataSource: { backupSource: { path: a, backupStorageName: b } }', 'spec.dataSource.backupSource'],
    ['dataSource: { dataImport: { dataImporterName: a } }', 'spec.dataSource.dataImport'],
    ['dataSource: { pitr: { type: date, date: "2026-01-01T00:00:00Z" } }', 'spec.dataSource.pitr'],
    ['monitoring: { monitoringConfigName: pmm }', 'spec.monitoring.monitoringConfigName'],
    ['monitoring: { resources: { limits: { cpu: 1 } } }', 'spec.monitoring.resources'],
    ['sharding: { enabled: false }', 'spec.sharding'],
    ['engineFeatures: { psmdb: { splitHorizonDnsConfigName: a } }', 'spec.engineFeatures'],
  ])('refuses %s by name and line, because a document that is half done is trusted', (field, place) => {
    expect(places(cluster(`  ${field}\n`))).toEqual([expect.stringMatching(new RegExp(`^\\[EV1009\\] db\\.yaml:8:\\d+: ${place.replace(/\./g, '\\.')}$`))]);
  });

  it.each(['crVersion: 2.7.0', 'userSecretsName: mine'])('refuses engine.%s', (field) => {
    expect(places(cluster('', `    ${field}\n`))).toEqual([expect.stringMatching(/^\[EV1009\] db\.yaml:8:5: spec\.engine\./)]);
  });

  it.each([
    'uid: 1', 'resourceVersion: "1"', 'generation: 1', 'creationTimestamp: null', 'managedFields: []', 'ownerReferences: []', 'finalizers: [a]', 'generateName: a-',
    'annotations: { everest.percona.com/restart: now }', 'annotations: { kubectl.kubernetes.io/last-applied-configuration: x }',
  ])('refuses metadata.%s, because it belongs to a living object', (field) => {
    expect(places(cluster().replace('name: orders,', `name: orders, ${field},`))).toEqual([expect.stringMatching(/^\[EV1009\] db\.yaml:3:\d+: metadata\./)]);
  });

  it('refuses status', () => {
    expect(places(`${cluster()}status: { status: ready }\n`)).toEqual(['[EV1009] db.yaml:8:1: status']);
  });

  it.each([
    'DatabaseClusterBackup', 'DatabaseClusterRestore', 'LoadBalancerConfig', 'DataImporter', 'DataImportJob', 'DatabaseEngine', 'SplitHorizonDNSConfig',
  ])('refuses the kind %s by name', (kind) => {
    expect(places(cluster().replace('DatabaseCluster', kind))).toEqual(['[EV1009] db.yaml:2:1: kind']);
  });

  it('says of a kind that nobody knows what was meant', () => {
    expect(read(cluster().replace('DatabaseCluster', 'DatabseCluster')).findings[0]).toMatchObject({ code: 'EV1006', problem: expect.stringContaining('did you mean DatabaseCluster?') });
  });

  it('refuses a third storage, because a cluster has two repositories', () => {
    const schedules = ['near', 'far', 'third'].map((name, index) => `      - { enabled: true, name: ${name}, schedule: 0 ${index} * * *, backupStorageName: ${name} }\n`).join('');
    expect(places(`${cluster(`  backup:\n    schedules:\n${schedules}`)}${STORAGES}`)).toEqual(['[EV1009] db.yaml:12:60: spec.backup.schedules[2].backupStorageName']);
  });
});

describe('what OpenEverest itself would refuse', () => {
  it.each([
    ['proxy: { type: haproxy }', 'spec.proxy.type'],
    ['backup: { enabled: false, schedules: [{ enabled: true, name: a, schedule: 0 1 * * *, backupStorageName: near }] }', 'spec.backup.enabled'],
    ['backup: { pitr: { enabled: true, backupStorageName: near } }', 'spec.backup.pitr.enabled'],
    ['backup: { schedules: [{ enabled: true, name: a, schedule: 0 1 * * *, backupStorageName: near }], pitr: { enabled: true, backupStorageName: far } }', 'spec.backup.pitr.backupStorageName'],
    ['backup: { schedules: [{ enabled: true, name: a, schedule: 0 1 * * *, backupStorageName: near }, { enabled: true, name: b, schedule: 0 1 * * *, backupStorageName: far }] }', 'spec.backup.schedules[1].schedule'],
    ['backup: { schedules: [{ enabled: true, name: a, schedule: 0 1 * * *, backupStorageName: near }, { enabled: true, name: b, schedule: 0 2 * * *, backupStorageName: near }] }', 'spec.backup.schedules[1].backupStorageName'],
    ['podSchedulingPolicyName: nowhere', 'spec.podSchedulingPolicyName'],
  ])('refuses %s', (field, place) => {
    expect(places(`${cluster(`  ${field}\n`)}${STORAGES}`).map((text) => text.replace(/ db.*: /, ' '))).toEqual([`[EV1010] ${place}`]);
  });

  it.each([['limits: { cpu: 500m }', 'limits.cpu'], ['limits: { memory: 500M }', 'limits.memory'], ['cpu: 500m', 'cpu'], ['memory: 500M', 'memory']])(
    'refuses resources of %s, and takes them where the document allows unsafe ones', (resources, place) => {
      const text = cluster('', `    resources: { ${resources} }\n`);
      expect(places(text)).toEqual([expect.stringMatching(new RegExp(`^\\[EV1010\\] .* spec\\.engine\\.resources\\.${place}$`))]);
      expect(places(`${text}  allowUnsafeConfiguration: true\n`).filter((finding) => finding.includes('EV1010'))).toEqual([]);
    });
});

describe('engine.config and proxy.config', () => {
  it('finds the line of a setting that the database does not have, because the text may be long', () => {
    const text = cluster('', '    config: |\n      # a comment\n      max_connections = 50\n\n      max_conections = 100\n');
    expect(places(text)).toEqual([expect.stringMatching(/^\[EV1302\] db\.yaml:12:7: spec\.engine\.config$/)]);
  });

  it.each([
    ['include \'other.conf\'', 'EV1010'], ['max_connections', 'EV1010'], ['jit = off\n      jit = on', 'EV1010'],
  ])('refuses %j', (line, code) => {
    expect(read(cluster('', `    config: |\n      ${line}\n`)).findings.map((finding) => finding.code)).toEqual([code]);
  });

  it('refuses settings of PgBouncer that a pooler has no option for, by line', () => {
    const text = cluster('  proxy:\n    config: |\n      [pgbouncer]\n      pool_mode = statement\n      server_tls_sslmode = require\n      [databases]\n      a = host=b\n');
    expect(places(text)).toEqual([
      '[EV1009] db.yaml:12:7: spec.proxy.config', '[EV1009] db.yaml:14:7: spec.proxy.config', '[EV1004] db.yaml:11:7: spec.proxy.config',
    ]);
  });

  it('reads postgresql.conf as PostgreSQL does', () => {
    const { settings, unreadable } = readPostgresConfig('a=1\nb 2 # c\nc = \'it\'\'s # not\' # but this\nd.e = x\n; no\n');
    expect(settings.map(({ name, value }) => [name, value])).toEqual([['a', '1'], ['b', '2'], ['c', 'it\'s # not'], ['d.e', 'x']]);
    expect(unreadable).toEqual([{ line: 4, text: '; no' }]);
  });

  it('reads INI files with their sections and switches', () => {
    const { settings } = readIni('[mysqld]\nskip-name-resolve\nmax_connections = 300\n[sst]\na="b c"\n', true);
    expect(settings).toEqual([
      { section: 'mysqld', name: 'skip-name-resolve', value: '', line: 1 },
      { section: 'mysqld', name: 'max_connections', value: '300', line: 2 },
      { section: 'sst', name: 'a', value: 'b c', line: 4 },
    ]);
  });
});

describe('documents that clusters name', () => {
  const policy = (affinity: string, engineType = 'postgresql') =>
    `apiVersion: everest.percona.com/v1alpha1\nkind: PodSchedulingPolicy\nmetadata: { name: apart }\nspec:\n  engineType: ${engineType}\n  affinityConfig: { postgresql: { engine: ${affinity} } }\n`;

  it.each([
    '{ podAffinity: {} }',
    '{ nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } }',
    '{ podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: a, labelSelector: {} }] } }',
    '{ podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: a }, { topologyKey: b }] } }',
    '{ nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: a, operator: NotIn, values: [b] }] }] } } }',
    '{ nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{}, {}] } } }',
  ])('a policy with %s is refused, because members would stand elsewhere than people believe', (affinity) => {
    expect(places(policy(affinity))).toEqual([expect.stringMatching(/^\[EV1009\] db\.yaml:\d+:\d+: spec\.affinityConfig/)]);
  });

  it('a policy for another engine is refused at the cluster', () => {
    expect(places(`${cluster('  podSchedulingPolicyName: apart\n')}---\n${policy('{}', 'pxc').replace('postgresql:', 'pxc:')}`))
      .toEqual(['[EV1010] db.yaml:8:3: spec.podSchedulingPolicyName']);
  });

  it.each([['type: azure', 'spec.type'], ['allowedNamespaces: [a]', 'spec.allowedNamespaces']])('a storage with %s is refused', (field, place) => {
    const text = STORAGES.split('---\n')[1]!.replace(/type: s3|$/, (old) => (old === '' ? '' : field.startsWith('type') ? field : `${old}, ${field}`));
    expect(places(text)).toEqual([expect.stringMatching(new RegExp(`^\\[EV1009\\] db\\.yaml:4:\\d+: ${place}$`))]);
  });

  it('a storage that no document describes is refused where it is named', () => {
    expect(places(cluster('  backup: { schedules: [{ enabled: true, name: a, schedule: 0 1 * * *, backupStorageName: near }] }\n')))
      .toEqual([expect.stringMatching(/^\[EV1807\] db\.yaml:8:\d+: spec\.backup\.schedules\[0\]\.backupStorageName$/)]);
  });

  it('a MonitoringConfig is checked, because it may be read for another engine', () => {
    const text = 'apiVersion: everest.percona.com/v1alpha1\nkind: MonitoringConfig\nmetadata: { name: pmm }\nspec: { type: pmm, pmm: { url: https://pmm }, credentialsSecretName: pmm, allowedNamespaces: [a] }\n';
    expect(places(text)).toEqual([expect.stringMatching(/spec\.allowedNamespaces$/)]);
    expect(places(text.replace(', allowedNamespaces: [a]', ''))).toEqual([]);
  });
});
