import { Duration } from 'cdk8s';
import {
  BackupEncryption, BackupRetention, BackupStorage, BackupType, Bootstrap, CertificateAuthority, NetworkPeer,
  StorageAccess, type BackupOptions, type S3StorageOptions,
} from '../../src';
import { aCluster, everestErrorOf, manifestsOf, ofKind, pick, synth, type TestManifest } from '../support/cluster';
import { MINORS, itWithSchemas, schemaErrors } from '../support/schema-oracle';

function s3(options: Partial<S3StorageOptions> = {}): BackupStorage {
  return BackupStorage.s3({ bucket: 'backups', access: StorageAccess.secret('s3'), ...options });
}

function withBackup(options: Partial<BackupOptions> = {}): TestManifest[] {
  return synth({ namespace: 'shop', instances: 2, backup: { storage: s3(), ...options } });
}

function file(manifests: TestManifest[], name: string): string {
  return pick(manifests, 'ConfigMap', 'orders-postgres').data[name] as string;
}

/** pgbackrest.conf as a map. */
function settings(manifests: TestManifest[]): Record<string, string> {
  return Object.fromEntries(file(manifests, 'pgbackrest.conf').split('\n').filter((line) => line.includes('='))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

function contractOf(manifests: TestManifest[]): Record<string, unknown> {
  return JSON.parse(pick(manifests, 'ConfigMap', 'orders-contract').data['contract.json']) as Record<string, unknown>;
}

const NIGHTLY = { name: 'nightly', cron: '0 2 * * *' };

describe('backup storage', () => {
  it('gives each cluster a path of its own, because two archives in one folder destroy each other', () => {
    expect(settings(withBackup({ storage: s3({ prefix: 'prod/eu' }) }))['repo1-path']).toBe('/prod/eu/shop/orders');
    expect(settings(withBackup())['repo1-path']).toBe('/shop/orders');
  });

  it('writes an endpoint of one\'s own with its port, path style and authority', () => {
    const found = settings(withBackup({ storage: s3({ endpoint: 'minio.storage.svc:9000', certificateAuthority: CertificateAuthority.fromConfigMap('ca') }) }));
    expect(found).toMatchObject({
      'repo1-type': 's3', 'repo1-s3-endpoint': 'minio.storage.svc', 'repo1-storage-port': '9000', 'repo1-s3-uri-style': 'path',
      'repo1-storage-verify-tls': 'y', 'repo1-storage-ca-file': '/run/postgresql/backup/repo1-storage-ca-file',
    });
  });

  it('takes Amazon\'s own endpoint of the region where none is given', () => {
    expect(settings(withBackup({ storage: s3({ region: 'eu-central-1' }) }))).toMatchObject({
      'repo1-s3-endpoint': 's3.eu-central-1.amazonaws.com', 'repo1-s3-uri-style': 'host',
    });
  });

  it('encrypts unless somebody writes the word', () => {
    expect(settings(withBackup())['repo1-cipher-type']).toBe('aes-256-cbc');
    expect(settings(withBackup({ storage: s3({ encryption: BackupEncryption.unencrypted() }) }))['repo1-cipher-type']).toBe('none');
  });

  it('never has a secret in a ConfigMap: keys and passes are named, not written', () => {
    const manifests = withBackup();
    expect(file(manifests, 'pgbackrest.conf')).not.toMatch(/cipher-pass|s3-key=|s3-key-secret=/);
    expect(JSON.parse(file(manifests, 'cluster.json')).backup.repositories).toEqual([{
      key: 1, storage: 's3://backups/shop/orders', files: [],
      secrets: [{ option: 's3-key', secret: 's3', key: 'AWS_ACCESS_KEY_ID' }, { option: 's3-key-secret', secret: 's3', key: 'AWS_SECRET_ACCESS_KEY' }],
      pass: { secret: 'orders-backup-pass', key: 'repository-1', generate: true },
    }]);
  });

  it.each([
    ['gcs', BackupStorage.gcs({ bucket: 'b-1', keySecret: 'key' }), { 'repo1-type': 'gcs', 'repo1-gcs-key-type': 'service', 'repo1-gcs-key': '/run/postgresql/backup/repo1-gcs-key' }],
    ['azure', BackupStorage.azure({ container: 'c-1', account: 'acc', keySecret: 'key' }), { 'repo1-type': 'azure', 'repo1-azure-key-type': 'shared', 'repo1-azure-account': 'acc' }],
  ])('speaks %s natively', (_, storage, expected) => {
    expect(settings(withBackup({ storage }))).toMatchObject(expected);
  });

  it('keeps two repositories apart, each with its own retention', () => {
    const found = settings(withBackup({
      retention: BackupRetention.fullBackups(3), secondary: { storage: s3({ bucket: 'far-away' }), retention: BackupRetention.days(90) },
    }));
    expect(found).toMatchObject({
      'repo1-retention-full-type': 'count', 'repo1-retention-full': '3',
      'repo2-s3-bucket': 'far-away', 'repo2-retention-full-type': 'time', 'repo2-retention-full': '90',
    });
  });

  it('gives a web identity to the members\' ServiceAccount', () => {
    const storage = s3({ access: StorageAccess.webIdentity('arn:aws:iam::123456789012:role/backups') });
    expect(pick(withBackup({ storage }), 'ServiceAccount', 'orders').metadata.annotations).toEqual({
      'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/backups',
    });
  });
});

describe('archive', () => {
  it('needs no restart to come or go: the same Pod template with and without backups', () => {
    const [without, having] = [synth({ namespace: 'shop', instances: 2 }), withBackup({ schedules: [NIGHTLY] })]
      .map((manifests) => ofKind(manifests, 'StatefulSet'));
    expect(having).toEqual(without);
  });

  it('sends a segment after the time that was asked for, and none for nothing where there is no archive', () => {
    const timeout = (manifests: TestManifest[]) => (contractOf(manifests).patroni as { postgresql: { parameters: Record<string, string> } }).postgresql.parameters.archive_timeout;
    expect(timeout(withBackup({ archiveTimeout: Duration.minutes(2) }))).toBe('120s');
    expect(timeout(synth())).toBeUndefined();
  });

  it('is configured by an empty file where there are no backups, which the commands read as such', () => {
    expect(file(synth(), 'pgbackrest.conf')).toBe('');
  });

  it('lets members reach the storage\'s port, and only the peers that are named', () => {
    const egress = (options: Partial<S3StorageOptions>) =>
      pick(withBackup({ storage: s3(options) }), 'NetworkPolicy', 'orders-members').spec.egress.at(-1);
    expect(egress({ endpoint: 'minio:9000' })).toEqual({ ports: [{ port: 9000, protocol: 'TCP' }] });
    expect(egress({ network: [NetworkPeer.cidr('192.0.2.0/24')] })).toEqual({
      to: [{ ipBlock: { cidr: '192.0.2.0/24' } }], ports: [{ port: 443, protocol: 'TCP' }],
    });
  });

  it('lets members read exactly the Secrets of the storage, and fill the pass alone', () => {
    const rules = pick(withBackup(), 'Role', 'orders').rules as Array<{ resources: string[]; resourceNames: string[]; verbs: string[] }>;
    expect(rules.filter(({ resources }) => resources.includes('secrets')).map(({ resourceNames, verbs }) => [resourceNames, verbs])).toEqual([
      [['orders-credentials', 'orders-app'], ['get', 'patch']], [['orders-backup-pass'], ['get', 'patch']], [['s3'], ['get']],
    ]);
  });

  it('keeps the Secret with the pass when everything else is pruned, because backups are worthless without it', () => {
    expect(pick(withBackup(), 'Secret', 'orders-backup-pass').metadata.annotations).toHaveProperty(['helm.sh/resource-policy'], 'keep');
  });

  it('carries the confirmation of a new beginning to the members', () => {
    const manifests = synth({ backup: { storage: s3() }, bootstrap: Bootstrap.fresh('7711512426718272580') });
    expect(JSON.parse(file(manifests, 'cluster.json')).backup.superseding).toBe('7711512426718272580');
  });
});

describe('backup schedules', () => {
  it('make a CronJob of the agent\'s image, one at a time, in the time zone that was asked for', () => {
    const { spec } = pick(withBackup({ schedules: [{ ...NIGHTLY, timeZone: 'Europe/Berlin', type: BackupType.incremental(), suspend: true }] }), 'CronJob', 'orders-backup-nightly');
    expect(spec).toMatchObject({ schedule: '0 2 * * *', timeZone: 'Europe/Berlin', concurrencyPolicy: 'Forbid', suspend: true });
    const pod = spec.jobTemplate.spec.template.spec;
    expect(pod).toMatchObject({ serviceAccountName: 'orders-backup', restartPolicy: 'Never' });
    expect(pod.containers[0].args).toEqual([
      'backup', '--cluster', 'orders', '--schedule', 'nightly', '--type', 'incremental', '--repository', '1', '--target', 'primary',
    ]);
  });

  it('of VolumeSnapshots tell the Job the class and how many stay, and that a standby is the better source', () => {
    const type = BackupType.volumeSnapshot({ className: 'fast', keep: 3 });
    const { spec } = pick(withBackup({ schedules: [{ ...NIGHTLY, type }] }), 'CronJob', 'orders-backup-nightly');
    expect(spec.jobTemplate.spec.template.spec.containers[0].args.slice(5)).toEqual([
      '--type', 'snapshot', '--repository', '1', '--target', 'standby', '--keep', '3', '--class', 'fast',
    ]);
  });

  it('of VolumeSnapshots alone give the Jobs rights on them, since neither create nor list can be bound to names', () => {
    const touches = (manifests: TestManifest[]) => ofKind(manifests, 'Role')
      .filter(({ rules }) => JSON.stringify(rules).includes('volumesnapshots')).map(({ metadata }) => metadata.name);
    const manifests = withBackup({ schedules: [{ ...NIGHTLY, type: BackupType.volumeSnapshot() }] });
    expect(touches(withBackup({ schedules: [NIGHTLY] }))).toEqual([]);
    expect(touches(manifests)).toEqual(['orders-backup-nightly']);
    expect(pick(manifests, 'RoleBinding', 'orders-backup-nightly').subjects).toEqual([expect.objectContaining({ name: 'orders-backup' })]);
    expect(contractOf(manifests).backup).toMatchObject({ schedules: [{ name: 'nightly', type: 'snapshot', target: 'standby' }] });
  });

  it('stand in the contract however they were added, because whoever watches backups must know what to expect', () => {
    const cluster = aCluster({ backup: { storage: s3(), schedules: [NIGHTLY] } });
    cluster.addBackupSchedule({ name: 'weekly', cron: '0 3 * * 0', type: BackupType.full() });
    const manifests = manifestsOf(cluster);
    expect(contractOf(manifests).backup).toEqual({
      stanza: 'db',
      repositories: [{ key: 1, storage: 's3://backups/default/orders' }],
      schedules: ['nightly', 'weekly'].map((name) => expect.objectContaining({ name, repository: 1, timeZone: 'Etc/UTC', suspended: false })),
      archiveTimeoutSeconds: 60,
    });
    expect(ofKind(manifests, 'CronJob').map(({ metadata }) => metadata.name)).toEqual(['orders-backup-nightly', 'orders-backup-weekly']);
  });

  it('bind the Jobs to exact names: a Job reaches this cluster\'s members and nothing else', () => {
    const { rules } = pick(withBackup(), 'Role', 'orders-backup');
    expect((rules as Array<{ resourceNames?: string[] }>).filter(({ resourceNames }) => !resourceNames?.length)).toEqual([]);
    expect(rules).toContainEqual({ apiGroups: [''], resources: ['pods/exec'], resourceNames: ['orders-1-0', 'orders-2-0'], verbs: ['create', 'get'] });
    expect(rules).toContainEqual({ apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: ['orders-backup'], verbs: ['get', 'patch'] });
  });

  it('bring the status that they write, also where no agent does', () => {
    expect(pick(withBackup(), 'ConfigMap', 'orders-status')).not.toHaveProperty('data');
    expect(synth().filter(({ metadata }) => metadata.name === 'orders-status')).toEqual([]);
  });

  it('refuse a second one of the same name with a code and not with a stack trace', () => {
    const cluster = aCluster({ backup: { storage: s3(), schedules: [NIGHTLY] } });
    expect(everestErrorOf(() => cluster.addBackupSchedule(NIGHTLY)).codes).toEqual(['EV1103']);
  });

  it('refuse a second repository at the place of the first, because the one would write over the other', () => {
    expect(everestErrorOf(() => aCluster({ backup: { storage: s3(), secondary: { storage: s3() } } })).codes).toEqual(['EV1805']);
  });

  itWithSchemas('fit all versions of Kubernetes', () => {
    const manifests = withBackup({ schedules: [{ ...NIGHTLY, deadline: Duration.hours(3), resources: { limits: { memory: '256Mi' } } }] });
    expect(MINORS.flatMap((minor) => schemaErrors(minor, manifests))).toEqual([]);
  });
});
