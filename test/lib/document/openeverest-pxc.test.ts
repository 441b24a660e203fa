import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseCluster, type PxcClusterProps } from '../../../src';
import { readClusters } from '../../../src/document/read';
import { renderFinding } from '../../../src/errors';
import { testChart } from '../../support/cluster';

const HEAD = 'apiVersion: everest.percona.com/v1alpha1\nkind: DatabaseCluster\nmetadata: { name: carts, namespace: everest }\nspec:\n';
const STORAGES = ['near', 'far'].map((name) => `---\napiVersion: everest.percona.com/v1alpha1\nkind: BackupStorage\nmetadata: { name: ${name} }\nspec: { type: s3, bucket: ${name}-bucket, credentialsSecretName: s3 }\n`).join('');
const SCHEDULE = '{ enabled: true, name: a, schedule: 0 1 * * *, backupStorageName: near }';

function example(): string {
  return readFileSync(join(__dirname, '..', '..', '..', 'examples', 'openeverest-pxc.yaml'), 'utf8');
}

/** A cluster with more lines in `spec` and in `spec.engine`. */
function cluster(spec = '', engine = ''): string {
  return `${HEAD}  engine:\n    type: pxc\n    storage: { size: 10Gi }\n${engine}${spec}`;
}

/** `EV1009 spec.paused` of each finding. */
function places(text: string): string[] {
  return readClusters(text, { file: 'db.yaml' }).findings
    .map((finding) => renderFinding(finding, '').replace(/^\[(EV\d+)\] \S+ ([^ ]+)[^]*$/, '$1 $2').replace(/:$/, ''));
}

function propsOf(text: string): PxcClusterProps {
  const { clusters, findings } = readClusters(text, { file: 'db.yaml' });
  expect(findings).toEqual([]);
  expect(clusters[0]!.engine).toBe('percona-xtradb-cluster');
  return clusters[0]!.props as PxcClusterProps;
}

describe('a DatabaseCluster of OpenEverest with the engine pxc', () => {
  it('becomes the props of a PxcCluster', () => {
    expect(propsOf(example())).toMatchObject({
      clusterName: 'carts', namespace: 'everest', labels: { team: 'checkout' },
      version: '8.0.45-36.1', image: 'percona/percona-xtradb-cluster:8.0.45-36.1', instances: 3,
      storage: { size: '25Gi', storageClassName: 'standard' },
      resources: { limits: { cpu: '1', memory: '4G' }, requests: { cpu: '600m', memory: '4G' } },
      parameters: { max_connections: '300', skip_external_locking: 'ON' },
      proxy: { instances: 2, resources: { limits: { memory: '256Mi' } }, placement: { antiAffinity: { mode: 'preferred', topologyKey: 'topology.kubernetes.io/zone' } } },
      placement: { antiAffinity: { mode: 'required', topologyKey: 'kubernetes.io/hostname' } },
      backup: { storage: { s3Options: { bucket: 'company-backups' } }, retention: { type: 'count', amount: 7 }, schedules: [{ name: 'nightly', cron: '0 2 * * *' }] },
      pmm: { url: 'https://pmm.monitoring.svc', image: 'percona/pmm-client:3.8.0', secretName: 'pmm-key', secretKey: 'apiKey', insecureSkipTlsVerify: true, resources: { limits: { memory: '512Mi' } } },
    });
  });

  it('gets objects from fromYaml: members, HAProxy, the collector, the client of PMM', () => {
    const { pxcClusters } = DatabaseCluster.fromYaml(testChart(), 'db', example());
    const [cluster_] = pxcClusters;
    expect(cluster_!.objects.map(({ kind, name }) => `${kind}/${name}`)).toEqual(expect.arrayContaining([
      'StatefulSet/carts-3', 'Deployment/carts-haproxy', 'Deployment/carts-binlog', 'CronJob/carts-backup-nightly',
    ]));
    const text = JSON.stringify(cluster_!.apiObject('StatefulSet', 'carts-1').toJson());
    expect(text).toContain('"secretKeyRef":{"key":"apiKey","name":"pmm-key","optional":true}');
    expect(text).toContain('"memory":"512Mi"');
  });

  it('has three members, and as many Pods of HAProxy, where nothing is said, as OpenEverest has it', () => {
    expect(propsOf(cluster())).toMatchObject({ instances: 3, proxy: { instances: 3 } });
    expect(propsOf(cluster('', '    replicas: 5\n')).proxy).toEqual({ instances: 5 });
  });

  it('takes a series as well as an exact version, whose image is the vendor\'s of that tag', () => {
    expect(propsOf(cluster('', '    version: "8.4"\n'))).toMatchObject({ version: '8.4' });
    expect(propsOf(cluster('', '    version: "8.4"\n')).image).toBeUndefined();
  });

  it('takes several schedules of one storage where all copies stay', () => {
    const two = `  backup: { schedules: [${SCHEDULE}, { enabled: false, name: b, schedule: 0 2 * * *, retentionCopies: 0, backupStorageName: near }] }\n`;
    expect(propsOf(cluster(two) + STORAGES).backup).toMatchObject({
      retention: { amount: 9999 }, schedules: [{ name: 'a' }, { name: 'b', suspend: true }],
    });
  });

  it.each([
    ['paused: true', 'EV1009 spec.paused'],
    ['proxy: { type: proxysql }', 'EV1009 spec.proxy.type'],
    ['proxy: { config: "global" }', 'EV1009 spec.proxy.config'],
    ['proxy: { storage: { size: 1Gi } }', 'EV1009 spec.proxy.storage'],
    ['proxy: { expose: { type: external } }', 'EV1009 spec.proxy.expose.type'],
    ['dataSource: { dbClusterBackupName: a }', 'EV1009 spec.dataSource.dbClusterBackupName'],
    ['sharding: { enabled: true }', 'EV1009 spec.sharding'],
    [`backup: { schedules: [${SCHEDULE}], pitr: { enabled: true, backupStorageName: far } }`, 'EV1009 spec.backup.pitr.backupStorageName'],
    [`backup: { schedules: [${SCHEDULE}, ${SCHEDULE.replace('0 1', '0 2').replace('near', 'far')}] }`, 'EV1009 spec.backup.schedules[1].backupStorageName'],
    [`backup: { schedules: [${SCHEDULE}, { enabled: true, name: b, schedule: 0 2 * * *, retentionCopies: 3, backupStorageName: near }] }`, 'EV1009 spec.backup.schedules[1].retentionCopies'],
    ['proxy: { type: pgbouncer }', 'EV1010 spec.proxy.type'],
    ['proxy: { replicas: 1 }', 'EV1010 spec.proxy.replicas'],
    ['monitoring: { monitoringConfigName: nowhere }', 'EV1010 spec.monitoring.monitoringConfigName'],
    ['monitoring: { resources: { limits: { cpu: 1 } } }', 'EV1010 spec.monitoring.resources'],
    ['podSchedulingPolicyName: nowhere', 'EV1010 spec.podSchedulingPolicyName'],
    [`backup: { schedules: [${SCHEDULE}], pitr: { enabled: true } }`, 'EV1010 spec.backup.pitr.backupStorageName'],
    [`backup: { schedules: [${SCHEDULE}], pitr: { enabled: true, backupStorageName: near, uploadIntervalSec: 5 } }`, 'EV1803 spec.backup.pitr.uploadIntervalSec'],
    [`backup: { schedules: [${SCHEDULE.replace('0 1 * * *', 'nightly')}] }`, 'EV1801 spec.backup.schedules[0].schedule'],
  ])('refuses %s by name and place, because a document that is half done is trusted', (field, place) => {
    expect(places(cluster(`  ${field}\n`) + STORAGES)).toEqual([place]);
  });

  it.each([
    ['replicas: 4', 'EV1010 spec.engine.replicas'], ['userSecretsName: everest-secrets-carts', 'EV1009 spec.engine.userSecretsName'],
    ['crVersion: 1.20.0', 'EV1009 spec.engine.crVersion'], ['version: 5.7.44-31.65', 'EV2201 spec.engine.version'],
    ['config: "max_connections = 300"', 'EV1010 spec.engine.config'], ['config: "[sst]\\nxbstream-opts=x"', 'EV1009 spec.engine.config'],
    ['config: "[mysqld]\\nmax_connections\\n!include x"', 'EV1010 spec.engine.config'],
    ['config: "[mysqld]\\nmax-connections=1\\nmax_connections=2"', 'EV1010 spec.engine.config'],
    ['config: "[mysqld]\\nbinlog_format=STATEMENT"', 'EV2101 spec.engine.config'],
  ])('refuses engine.%s', (field, place) => {
    expect(places(cluster('', `    ${field}\n`))).toEqual([place]);
  });

  it('refuses a storage that no document describes, because OpenEverest has it in an object and not in a Secret', () => {
    expect(places(cluster(`  backup: { schedules: [${SCHEDULE}] }\n`))).toEqual(['EV1807 spec.backup.schedules[0].backupStorageName']);
  });

  it('finds the line of a setting in a long text', () => {
    const text = cluster('', '    config: |\n      [mysqld]\n      max_connections=300\n      innodb_autoinc_lock_mode=1\n');
    expect(renderFinding(readClusters(text, { file: 'db.yaml' }).findings[0]!, '')).toMatch(/^\[EV2101\] db\.yaml:11:7: spec\.engine\.config/);
  });
});
