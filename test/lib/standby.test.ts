import { BackupStorage, NetworkPeer, RecoverySource, Standby, StorageAccess, type PostgresClusterProps } from '../../src';
import { pick, synth, type TestManifest } from '../support/cluster';

function s3(prefix: string): BackupStorage {
  return BackupStorage.s3({ bucket: 'backups', prefix, access: StorageAccess.secret(`s3-${prefix}`) });
}

function cluster(props: Partial<PostgresClusterProps>): TestManifest[] {
  return synth({ namespace: 'shop', instances: 2, backup: { storage: s3('west') }, ...props });
}

const EAST = RecoverySource.storage(s3('east'), { clusterName: 'orders', namespace: 'far', passSecretName: 'east-pass' });

function json(manifests: TestManifest[], name: string, key: string): Record<string, any> {
  return JSON.parse(pick(manifests, 'ConfigMap', name).data[key] as string) as Record<string, any>;
}

function standbyCluster(manifests: TestManifest[]): unknown {
  return json(manifests, 'orders-contract', 'contract.json').patroni.standby_cluster;
}

describe('standby cluster', () => {
  it('is fed from the archive of the other one, by commands that read its repository and not the own one', () => {
    const manifests = cluster({ standby: Standby.of({ from: EAST }) });
    expect(standbyCluster(manifests)).toEqual({
      restore_command: 'env PGBACKREST_CONFIG=/run/postgresql/recovery/source PGBACKREST_CONFIG_INCLUDE_PATH=/run/postgresql/recovery '
        + 'sh /etc/everest/pgbackrest.sh get %f %p',
      create_replica_methods: ['source'],
    });
    expect(json(manifests, 'orders-postgres', 'cluster.json').standby).toMatchObject({
      repository: { key: 1, storage: 's3://backups/east/far/orders', pass: { secret: 'east-pass', key: 'repository-1', generate: false } },
      options: { 'repo1-path': '/east/far/orders', 'repo1-s3-bucket': 'backups' },
    });
    expect(pick(manifests, 'ConfigMap', 'orders-postgres').data['pgbackrest.conf']).toContain('repo1-path=/west/shop/orders');
  });

  it('streams where it has a host, and copies over the stream where there is no archive', () => {
    expect(standbyCluster(cluster({ standby: Standby.of({ host: 'db.east.example.com' }) }))).toEqual({
      host: 'db.east.example.com', port: 5432, create_replica_methods: ['basebackup'],
    });
    expect(standbyCluster(cluster({ standby: Standby.of({ from: EAST, host: 'db.east.example.com', port: 6432 }) }))).toMatchObject({
      host: 'db.east.example.com', port: 6432, create_replica_methods: ['source', 'basebackup'],
    });
  });

  it('is promoted by a word and not by a line that is missing, because lines get lost', () => {
    expect(standbyCluster(cluster({ standby: Standby.promoted() }))).toBeNull();
    expect(json(cluster({}), 'orders-contract', 'contract.json').patroni).not.toHaveProperty('standby_cluster');
  });

  it('changes no Pod template, so that promotion and demotion restart no Pod', () => {
    const templates = (standby?: Standby) => cluster(standby ? { standby } : {}).filter(({ kind }) => kind === 'StatefulSet');
    expect(templates(Standby.of({ from: EAST }))).toEqual(templates());
    expect(templates(Standby.promoted())).toEqual(templates());
  });

  it('may read the Secrets of the source and fill none of them', () => {
    const rules = pick(cluster({ standby: Standby.of({ from: EAST }) }), 'Role', 'orders').rules as Array<{ resources: string[]; resourceNames: string[]; verbs: string[] }>;
    expect(rules.filter(({ resources }) => resources.includes('secrets')).map(({ resourceNames, verbs }) => [resourceNames, verbs])).toEqual([
      [['orders-credentials', 'orders-app'], ['get', 'patch']], [['orders-backup-pass'], ['get', 'patch']], [['s3-west', 's3-east', 'east-pass'], ['get']],
    ]);
  });

  it('reaches the host that it follows, and no other one where peers are named', () => {
    const egress = (standby: Standby) => pick(cluster({ standby }), 'NetworkPolicy', 'orders-members').spec.egress.at(-1);
    expect(egress(Standby.of({ host: 'db', port: 6432 }))).toEqual({ ports: [{ port: 6432, protocol: 'TCP' }] });
    expect(egress(Standby.of({ host: 'db', network: [NetworkPeer.cidr('192.0.2.0/24')] }))).toEqual({
      to: [{ ipBlock: { cidr: '192.0.2.0/24' } }], ports: [{ port: 5432, protocol: 'TCP' }],
    });
  });

  it('is not found by the Service for writes: its leader has a role label of its own', () => {
    expect(pick(cluster({}), 'Service', 'orders-rw').spec.selector['everest.io/role']).toBe('primary');
    expect(pick(cluster({}), 'ConfigMap', 'orders-postgres').data['patroni.yml']).toContain('standby_leader_label_value: standby_leader');
  });
});
