import {
  BackupEncryption, BackupStorage, BackupType, Bootstrap, NetworkPeer, PostgresCluster, RecoverySource, RecoveryTarget,
  StorageAccess, type PostgresClusterProps, type RecoveryOptions, type S3StorageOptions,
} from '../../src';
import { readClusters } from '../../src/document/read';
import { everestErrorOf, pick, someProps, synth, testChart, type TestManifest } from '../support/cluster';
import { MINORS, itWithSchemas, schemaErrors } from '../support/schema-oracle';

function s3(options: Partial<S3StorageOptions> = {}): BackupStorage {
  return BackupStorage.s3({ bucket: 'backups', access: StorageAccess.secret('s3'), ...options });
}

/** A cluster `orders` of the namespace `shop` that begins with the backups of `billing`. */
function recovered(options: Partial<RecoveryOptions> = {}, backup: BackupStorage | undefined = s3()): TestManifest[] {
  const from = RecoverySource.storage(s3(), { clusterName: 'billing' });
  return synth({ namespace: 'shop', instances: 2, backup: { storage: backup }, bootstrap: Bootstrap.recover({ from, ...options }) });
}

interface Recovery {
  readonly repository: { readonly storage: string; readonly secrets: unknown; readonly pass?: unknown };
  readonly options: Record<string, string>;
  readonly goal: unknown;
  readonly keepPasswords: boolean;
  readonly pauseAtTarget: boolean;
}

function recoveryOf(manifests: TestManifest[]): Recovery {
  const text = pick(manifests, 'ConfigMap', 'orders-postgres').data['cluster.json'] as string;
  return (JSON.parse(text) as { recovery: Recovery }).recovery;
}

function readableSecrets(manifests: TestManifest[]): Map<string, string[]> {
  const rules = pick(manifests, 'Role', 'orders').rules as Array<{ resourceNames?: string[]; verbs: string[] }>;
  return new Map(rules.flatMap(({ resourceNames = [], verbs }) => resourceNames.map((name): [string, string[]] => [name, verbs])));
}

describe('recovery of a cluster', () => {
  it('reads the repository of the other cluster and writes to its own', () => {
    const manifests = recovered();
    expect(recoveryOf(manifests).options['repo1-path']).toBe('/shop/billing');
    expect(pick(manifests, 'ConfigMap', 'orders-postgres').data['pgbackrest.conf']).toContain('repo1-path=/shop/orders');
  });

  it('takes another namespace\'s path, whose Secrets have to be copied here', () => {
    const from = RecoverySource.storage(s3(), { clusterName: 'billing', namespace: 'office', passSecretName: 'copied' });
    const { options, repository } = recoveryOf(recovered({ from }));
    expect(options['repo1-path']).toBe('/office/billing');
    expect(repository.pass).toEqual({ secret: 'copied', key: 'repository-1', generate: false });
  });

  it('may read the other cluster\'s pass and never write it', () => {
    const manifests = recovered();
    expect(readableSecrets(manifests).get('billing-backup-pass')).toEqual(['get']);
    expect(readableSecrets(manifests).get('orders-backup-pass')).toEqual(['get', 'patch']);
    expect(manifests.some(({ kind, metadata }) => kind === 'Secret' && metadata.name === 'billing-backup-pass')).toBe(false);
  });

  it('asks for no pass where there is none, and for one\'s own where it is named', () => {
    const source = (encryption: BackupEncryption) => recoveryOf(recovered({
      from: RecoverySource.storage(s3({ encryption }), { clusterName: 'billing' }),
    })).repository.pass;
    expect(source(BackupEncryption.unencrypted())).toBeUndefined();
    expect(source(BackupEncryption.existing('mine'))).toMatchObject({ secret: 'mine', generate: false });
  });

  it.each([
    [undefined, { type: 'latest', value: '', exclusive: false }],
    [RecoveryTarget.time('2026-03-01T12:00:00Z'), { type: 'time', value: '2026-03-01 12:00:00.000000+00:00', exclusive: false }],
    [RecoveryTarget.time('2026-03-01T12:00:00.25-08:00', { exclusive: true }), { type: 'time', value: '2026-03-01 12:00:00.250000-08:00', exclusive: true }],
    [RecoveryTarget.transaction('745', { after: '2026-03-01T12:00:00Z', timeline: 3 }),
      { type: 'xid', value: '745', exclusive: false, timeline: 3, after: '2026-03-01 12:00:00.000000+00:00' }],
  ])('tells PostgreSQL the target %#, since it reads times in the zone of the server without an offset', (target, goal) => {
    expect(recoveryOf(recovered(target ? { target } : {})).goal).toEqual(goal);
  });

  it('stops at the target only where that is asked for, since until then nobody can write', () => {
    const target = RecoveryTarget.time('2026-03-01T12:00:00Z');
    expect(recoveryOf(recovered({ target })).pauseAtTarget).toBe(false);
    expect(recoveryOf(recovered({ target, pauseAtTarget: true })).pauseAtTarget).toBe(true);
  });

  it('lets members out to the storage of the source too', () => {
    const from = RecoverySource.storage(s3({ endpoint: 'minio.storage.svc:9000', network: [NetworkPeer.podsInNamespace('storage')] }), { clusterName: 'billing' });
    const { egress } = pick(recovered({ from }), 'NetworkPolicy', 'orders-members').spec as { egress: Array<{ ports: Array<{ port: number }> }> };
    expect(egress.flatMap(({ ports }) => ports.map(({ port }) => port))).toContain(9000);
  });

  it('is possible without backups of its own: a copy to look at and throw away', () => {
    const manifests = synth({ bootstrap: Bootstrap.recover({ from: RecoverySource.storage(s3(), { clusterName: 'billing' }) }) });
    expect(pick(manifests, 'ConfigMap', 'orders-postgres').data['pgbackrest.conf']).toBe('');
  });

  it('names the source by the cluster itself where both are in one app', () => {
    const chart = testChart();
    const billing = new PostgresCluster(chart, 'billing', { ...someProps(), backup: { storage: s3() } });
    const { options } = billing.recoverySource();
    expect(options).toEqual({ clusterName: 'billing', namespace: billing.namespace });
    const bare = new PostgresCluster(chart, 'bare', someProps());
    expect(everestErrorOf(() => bare.recoverySource()).message).toContain('bare has no backup storage');
  });

  it('adds nothing but a file to the Pod template, so that the target can be changed while members wait', () => {
    const template = (options: Partial<RecoveryOptions>) => pick(recovered(options), 'StatefulSet', 'orders-1').spec.template;
    expect(template({ target: RecoveryTarget.time('2026-03-01T12:00:00Z') })).toEqual(template({}));
  });

  const SNAPSHOT = 'billing-nightly-20260301t020000z';

  it('from a snapshot makes the first member\'s volume of it and no other one, since those are copied from the first', () => {
    const manifests = recovered({ snapshot: SNAPSHOT });
    const sources = ['orders-1-data', 'orders-2-data'].map((name) => (pick(manifests, 'PersistentVolumeClaim', name).spec as { dataSource?: unknown }).dataSource);
    expect(sources).toEqual([{ apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: SNAPSHOT }, undefined]);
    expect(recoveryOf(manifests)).toMatchObject({ snapshot: { name: SNAPSHOT, size: '10Gi' } });
    expect(readableSecrets(manifests).get(SNAPSHOT)).toEqual(['get']);
  });

  itWithSchemas('fits every supported Kubernetes', () => {
    const manifests = recovered({ snapshot: SNAPSHOT });
    expect(MINORS.flatMap((minor) => schemaErrors(minor, manifests))).toEqual([]);
  });
});

const DOCUMENTS = (recover: string) => `
apiVersion: everest.io/v1alpha1
kind: BackupStorage
metadata: {name: main}
spec: {type: s3, bucket: backups, credentialsSecretName: s3}
---
apiVersion: everest.io/v1alpha1
kind: DatabaseCluster
metadata: {name: orders, namespace: shop}
spec:
  engine: postgresql
  storage: {size: 10Gi}
  backup: {enabled: true, storageName: main}
  bootstrap: ${recover}
`;

describe('recovery in a document', () => {
  it('says the same as the construct', () => {
    const { clusters, findings } = readClusters(DOCUMENTS('{recover: {storageName: main, clusterName: billing, target: {time: "2026-03-01T12:00:00Z", exclusive: true}}}'));
    expect(findings).toEqual([]);
    const props = clusters[0]!.props as PostgresClusterProps;
    expect(props.bootstrap).toEqual(Bootstrap.recover({
      from: RecoverySource.storage(props.backup!.storage, { clusterName: 'billing' }),
      target: RecoveryTarget.time('2026-03-01T12:00:00Z', { exclusive: true }),
    }));
  });

  it('names a snapshot as the construct does, and schedules that make them', () => {
    const document = DOCUMENTS('{recover: {storageName: main, clusterName: billing, snapshot: billing-nightly-1}}')
      .replace('storageName: main}', 'storageName: main, schedules: [{name: s, schedule: "0 2 * * *", type: volumeSnapshot, keep: 3, snapshotClass: fast}]}');
    const { clusters, findings } = readClusters(document);
    expect(findings).toEqual([]);
    const { bootstrap, backup } = clusters[0]!.props as PostgresClusterProps;
    expect(bootstrap!.recovery!.snapshot).toBe('billing-nightly-1');
    expect(backup!.schedules![0]!.type).toEqual(BackupType.volumeSnapshot({ className: 'fast', keep: 3 }));
  });

  it('refuses words about snapshots on a schedule of something else, because they would have no effect', () => {
    const { findings } = readClusters(DOCUMENTS('{recover: {storageName: main, clusterName: billing}}')
      .replace('storageName: main}', 'storageName: main, schedules: [{name: s, schedule: "0 2 * * *", keep: 3}]}'));
    expect(findings.map(({ code, path }) => [code, path.join('.')])).toEqual([['EV1001', 'spec.backup.schedules.0.keep']]);
  });

  it.each([
    ['{recover: {storageName: mian, clusterName: billing}}', 'EV1807', 'spec.bootstrap.recover.storageName'],
    ['{recover: {storageName: main, clusterName: billing, target: {}}}', 'EV1004', 'spec.bootstrap.recover.target'],
    ['{recover: {storageName: main, clusterName: billing, target: {latest: true, lsn: 0/1}}}', 'EV1004', 'spec.bootstrap.recover.target'],
    ['{recover: {storageName: main, clusterName: billing, target: {time: "2026-03-01"}}}', 'EV1809', 'spec.bootstrap.recover.target'],
    ['{recover: {storageName: main, clusterName: orders}}', 'EV1810', 'spec.bootstrap.recover.clusterName'],
    ['{}', 'EV1004', 'spec.bootstrap'],
  ])('refuses %s with %s', (recover, code, path) => {
    const { findings } = readClusters(DOCUMENTS(recover));
    expect(findings.map((finding) => [finding.code, finding.path.join('.')])).toEqual([[code, path]]);
  });
});
