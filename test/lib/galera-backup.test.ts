import {
  BackupRetention, BackupStorage, BackupType, Bootstrap, MariaDbCluster, RecoverySource, RecoveryTarget, StorageAccess,
  PxcCluster, type BackupOptions, type BackupScheduleOptions, type MariaDbClusterProps, type PxcClusterProps,
} from '../../src';
import type { Manifest } from '../../src/parts/manifest';
import { everestErrorOf, testChart } from '../support/cluster';

const STORAGE = BackupStorage.s3({ bucket: 'backups', endpoint: 'minio.storage.svc:9000', access: StorageAccess.secret('s3') });

function aMariaDb(backup: Partial<BackupOptions> = {}): MariaDbCluster {
  return new MariaDbCluster(testChart(), 'orders', { namespace: 'shop', storage: { size: '10Gi' }, backup: { storage: STORAGE, ...backup } });
}

function manifest(cluster: MariaDbCluster, kind: string, name: string): Manifest & Record<string, unknown> {
  return cluster.apiObject(kind, name).toJson() as Manifest & Record<string, unknown>;
}

function memberDocument(cluster: MariaDbCluster, name = 'orders'): Record<string, unknown> {
  const { data } = manifest(cluster, 'ConfigMap', `${name}-galera`) as unknown as { data: Record<string, string> };
  return JSON.parse(data['galera.json']!) as Record<string, unknown>;
}

describe('backups of a MariaDbCluster', () => {
  it('change nothing of a member, because they come and go without a restart', () => {
    const without = new MariaDbCluster(testChart(), 'orders', { namespace: 'shop', storage: { size: '10Gi' } });
    for (const name of ['orders-1', 'orders-2', 'orders-3']) {
      expect(manifest(aMariaDb(), 'StatefulSet', name)).toEqual(manifest(without, 'StatefulSet', name));
    }
    expect(without.objects.map(({ name }) => name).filter((name) => /backup|binlog|archive/.test(name))).toEqual([]);
  });

  it('tell members and the collector where the archive is, and name Secrets without a value of them', () => {
    const { archive } = memberDocument(aMariaDb({ retention: BackupRetention.fullBackups(4) })) as { archive: { repository: Record<string, unknown> } };
    expect(archive).toMatchObject({
      intervalSeconds: 60,
      repository: {
        storage: 's3://backups/shop/orders', retention: { type: 'count', amount: 4 }, level: 3,
        options: { 's3-bucket': 'backups', 'path': '/shop/orders', 's3-uri-style': 'path', 'cipher-type': 'aes-256-cbc' },
        secrets: [{ option: 's3-key', secret: 's3', key: 'AWS_ACCESS_KEY_ID' }, { option: 's3-key-secret', secret: 's3', key: 'AWS_SECRET_ACCESS_KEY' }],
        pass: { secret: 'orders-backup-pass', key: 'repository-1', generate: true },
      },
    });
  });

  it('are made by the same Jobs as those of PostgreSQL, which look into members of this cluster only', () => {
    const cluster = aMariaDb();
    cluster.addBackupSchedule({ name: 'nightly', cron: '0 2 * * *' });
    expect(manifest(cluster, 'CronJob', 'orders-backup-nightly').spec).toMatchObject({ schedule: '0 2 * * *', concurrencyPolicy: 'Forbid' });
    expect(manifest(cluster, 'Role', 'orders-backup').rules).toContainEqual({
      apiGroups: [''], resources: ['pods/exec'], resourceNames: ['orders-1-0', 'orders-2-0', 'orders-3-0'], verbs: ['create', 'get'],
    });
    const { data } = manifest(cluster, 'ConfigMap', 'orders-contract') as unknown as { data: Record<string, string> };
    expect(JSON.parse(data['contract.json']!)).toMatchObject({
      engine: 'mariadb', backup: { repositories: [{ key: 1, storage: 's3://backups/shop/orders' }], schedules: [{ name: 'nightly', type: 'full' }] },
    });
  });

  it('give the collector what it reads and the pass that it fills, and nothing else', () => {
    expect(manifest(aMariaDb(), 'Role', 'orders-binlog').rules).toEqual([
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['s3', 'orders-backup-pass', 'orders-credentials'], verbs: ['get'] },
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['orders-backup-pass'], verbs: ['patch'] },
    ]);
    expect(manifest(aMariaDb(), 'Role', 'orders-archive').rules).toEqual([
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['s3', 'orders-backup-pass'], verbs: ['get'] },
    ]);
  });

  it('let the collector reach members, the storage on its port, DNS and the API server', () => {
    const { egress } = manifest(aMariaDb(), 'NetworkPolicy', 'orders-binlog').spec as { egress: Array<{ ports: Array<{ port: number }> }> };
    expect(egress.flatMap(({ ports }) => ports.map(({ port }) => port)).sort()).toEqual([3306, 443, 53, 53, 6443, 9000]);
  });

  it.each<[string, Partial<BackupOptions>]>([
    ['a second repository', { secondary: { storage: BackupStorage.s3({ bucket: 'other', access: StorageAccess.secret('s3') }) } }],
    ['another storage', { storage: BackupStorage.gcs({ bucket: 'backups' }) }],
    ['a web identity', { storage: BackupStorage.s3({ bucket: 'backups', access: StorageAccess.webIdentity('arn:aws:iam::123456789012:role/backup') }) }],
    ['processes', { processes: 4 }],
    ['snapshots of volumes', { schedules: [{ name: 'hourly', cron: '0 * * * *', type: BackupType.volumeSnapshot() }] }],
    ['incremental backups', { schedules: [{ name: 'hourly', cron: '0 * * * *', type: BackupType.incremental() }] }],
  ])('refuse %s, because it would not be done', (_, backup) => {
    expect(everestErrorOf(() => aMariaDb(backup)).codes).toEqual(['EV2301']);
  });

  it.each<[string, BackupScheduleOptions]>([
    ['EV1806', { name: 'hourly', cron: '0 * * * *', type: BackupType.differential() }], ['EV1801', { name: 'hourly', cron: 'hourly' }],
  ])('refuse with %s what is added later as well', (code, options) => {
    expect(everestErrorOf(() => aMariaDb().addBackupSchedule(options)).codes).toEqual([code]);
  });

  it('never share a path with another cluster of the app', () => {
    const chart = testChart();
    const props = { storage: { size: '10Gi' }, namespace: 'shop', backup: { storage: BackupStorage.s3({ bucket: 'backups', access: StorageAccess.secret('s3') }) } };
    new MariaDbCluster(chart, 'orders', props);
    expect(everestErrorOf(() => new MariaDbCluster(chart, 'again', { ...props, clusterName: 'orders' })).codes[0]).toBe('EV1103');
  });
});

describe('a MariaDbCluster that begins with the backups of another one', () => {
  const from = RecoverySource.storage(STORAGE, { clusterName: 'orders', namespace: 'shop' });

  function recovered(target: RecoveryTarget, more: Partial<MariaDbClusterProps> = {}): MariaDbCluster {
    return new MariaDbCluster(testChart(), 'copy', { namespace: 'lab', storage: { size: '10Gi' }, bootstrap: Bootstrap.recover({ from, target }), ...more });
  }

  it.each<[RecoveryTarget, unknown]>([
    [RecoveryTarget.latest(), { kind: 'latest', value: '', skip: [] }],
    [RecoveryTarget.latest({ skipTransactions: ['1-1-7'] }), { kind: 'latest', value: '', skip: ['1-1-7'] }],
    [RecoveryTarget.time('2026-03-01T13:00:00.25+01:00'), { kind: 'time', value: '2026-03-01T12:00:00Z', skip: [] }],
    [RecoveryTarget.transaction('1-1-7'), { kind: 'gtid', value: '1-1-7', skip: [] }],
    [RecoveryTarget.transaction('1-1-7', { exclusive: true }), { kind: 'before', value: '1-1-7', skip: [] }],
  ])('tells its members the target %#', (target, told) => {
    expect(memberDocument(recovered(target), 'copy')).toMatchObject({
      recovery: {
        target: told, keepPasswords: false,
        repository: { storage: 's3://backups/shop/orders', pass: { secret: 'orders-backup-pass', generate: false } },
      },
    });
  });

  it('lets members read the old archive, and makes no collector where there are no backups of its own', () => {
    const cluster = recovered(RecoveryTarget.latest());
    expect(manifest(cluster, 'Role', 'copy-archive').rules).toEqual([
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['s3', 'orders-backup-pass'], verbs: ['get'] },
    ]);
    expect(cluster.objects.map(({ name }) => name)).not.toContain('copy-binlog');
  });

  it.each([
    ['a time without a zone', RecoveryTarget.time('2026-03-01T12:00:00')], ['a number of PostgreSQL', RecoveryTarget.transaction('745')],
    ['a restore point', RecoveryTarget.restorePoint('x')], ['a timeline', RecoveryTarget.time('2026-03-01T12:00:00Z', { timeline: 2 })],
    ['a moment before a second', RecoveryTarget.time('2026-03-01T12:00:00Z', { exclusive: true })],
    ['a transaction to skip that is none', RecoveryTarget.latest({ skipTransactions: ['last'] })],
  ])('refuses %s, because it would be another moment than was meant', (_, target) => {
    expect(everestErrorOf(() => recovered(target)).codes).toEqual(['EV2302']);
  });

  it('refuses Bootstrap.fresh(), which says something about PostgreSQL', () => {
    expect(everestErrorOf(() => recovered(RecoveryTarget.latest(), { bootstrap: Bootstrap.fresh('7711512426718272580') })).codes).toEqual(['EV2302']);
  });
});

describe('backups of a PxcCluster', () => {
  const from = RecoverySource.storage(STORAGE, { clusterName: 'orders', namespace: 'shop' });
  const TRANSACTION = '3e11fa47-71ca-11e1-9e33-c80aa9429562:4711';

  function pxc(props: Partial<PxcClusterProps> = {}): PxcCluster {
    return new PxcCluster(testChart(), 'orders', { namespace: 'shop', storage: { size: '10Gi' }, ...props });
  }

  function containers(cluster: PxcCluster, kind: string, name: string): Array<{ name: string; image: string; command: string[] }> {
    return (cluster.apiObject(kind, name).toJson() as { spec: { template: { spec: { containers: Array<{ name: string; image: string; command: string[] }> } } } })
      .spec.template.spec.containers;
  }

  it('use the programs of the vendor\'s own image, which members always have beside them, so that backups come without a restart', () => {
    const [without, cluster] = [pxc(), pxc({ backup: { storage: STORAGE } })];
    expect(cluster.apiObject('StatefulSet', 'orders-2').toJson()).toEqual(without.apiObject('StatefulSet', 'orders-2').toJson());
    const tools = containers(cluster, 'StatefulSet', 'orders-2').find(({ name }) => name === 'tools')!;
    expect(tools).toMatchObject({ image: 'percona/percona-xtradb-cluster:8.4.8-8.1', command: ['bash', '/etc/everest/galera-run.sh', '/run/mysqld/tools'] });
    const { data } = cluster.apiObject('ConfigMap', 'orders-galera').toJson() as { data: Record<string, string> };
    expect(JSON.parse(data['galera.json']!)).toMatchObject({
      engine: 'percona-xtradb-cluster', remote: true, toolsDirectory: '/usr/bin/pxc_extra/pxb-8.4/bin', archive: { repository: { storage: 's3://backups/shop/orders' } },
    });
    expect(Object.keys(data)).toContain('galera_tools.py');
  });

  it('collect the binary log with a script and, beside it, the vendor\'s mysqlbinlog', () => {
    expect(containers(pxc({ backup: { storage: STORAGE } }), 'Deployment', 'orders-binlog').map(({ name, image, command }) => [name, image, command.at(-1)])).toEqual([
      ['collector', 'cdk8s-everest/mariadb:11.8', '/etc/everest/binlog_collector.py'],
      ['tools', 'percona/percona-xtradb-cluster:8.4.8-8.1', '/var/lib/collector'],
    ]);
  });

  it('are made by the same Jobs at the times of the props and of schedules that are added', () => {
    const cluster = pxc({ backup: { storage: STORAGE, schedules: [{ name: 'nightly', cron: '0 2 * * *' }] } });
    cluster.addBackupSchedule({ name: 'noon', cron: '0 12 * * *' });
    expect(cluster.objects.filter(({ kind }) => kind === 'CronJob').map(({ name }) => name)).toEqual(['orders-backup-nightly', 'orders-backup-noon']);
  });

  it('are recovered to a transaction in MySQL\'s words', () => {
    const target = RecoveryTarget.transaction(TRANSACTION, { exclusive: true });
    const cluster = pxc({ clusterName: 'copy', bootstrap: Bootstrap.recover({ from, target }) });
    const { data } = cluster.apiObject('ConfigMap', 'copy-galera').toJson() as { data: Record<string, string> };
    expect(JSON.parse(data['galera.json']!)).toMatchObject({ recovery: { target: { kind: 'before', value: TRANSACTION } } });
  });

  it.each<[string, Partial<PxcClusterProps>]>([
    ['EV2301', { backup: { storage: STORAGE, processes: 2 } }],
    ['EV2302', { bootstrap: Bootstrap.recover({ from, target: RecoveryTarget.transaction('1-1-7') }) }],
    ['EV2302', { bootstrap: Bootstrap.recover({ from, target: RecoveryTarget.latest({ skipTransactions: [TRANSACTION.replace('4711', '1-5')] }) }) }],
    ['EV1801', { backup: { storage: STORAGE, schedules: [{ name: 'nightly', cron: 'nightly' }] } }],
  ])('refuse with %s what would not be done', (code, props) => {
    expect(everestErrorOf(() => pxc({ clusterName: 'copy', ...props })).codes).toEqual([code]);
  });
});
