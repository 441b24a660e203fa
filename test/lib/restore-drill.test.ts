import { Duration } from 'cdk8s';
import {
  BackupStorage, CertificateAuthority, DrillTarget, MariaDbCluster, PxcCluster, StorageAccess, type RestoreDrillOptions,
} from '../../src';
import { aCluster, everestErrorOf, manifestsOf, testChart, ofKind, pick, synth, type TestManifest } from '../support/cluster';
import { MINORS, itWithSchemas, schemaErrors } from '../support/schema-oracle';

const STORAGE = BackupStorage.s3({
  bucket: 'backups', endpoint: 'minio:9000', access: StorageAccess.secret('s3'), certificateAuthority: CertificateAuthority.fromConfigMap('ca'),
});
const WEEKLY = { cron: '0 4 * * 0' };

function withDrill(options: Partial<RestoreDrillOptions> = {}): TestManifest[] {
  return synth({
    namespace: 'shop', databases: [{ name: 'app', owner: 'app' }], storage: { size: '10Gi', storageClassName: 'fast', walSize: '2Gi' },
    backup: { storage: STORAGE, drills: [{ ...WEEKLY, ...options }] },
  });
}

function orderOf(manifests: TestManifest[], name = 'orders-drill'): Record<string, unknown> {
  return JSON.parse(pick(manifests, 'ConfigMap', name).data['drill.json'] as string) as Record<string, unknown>;
}

interface Container {
  readonly name: string;
  readonly env: ReadonlyArray<{ readonly name: string; readonly value?: string; readonly valueFrom?: object }>;
  readonly volumeMounts: ReadonlyArray<{ readonly name: string; readonly mountPath: string }>;
}

function podOf(manifests: TestManifest[], name = 'orders-drill') {
  const spec = pick(manifests, 'CronJob', name).spec.jobTemplate.spec.template.spec;
  const [restore, report] = spec.containers as [Container, Container];
  return { spec, restore, report, variable: (key: string) => restore.env.find((item) => item.name === key) };
}

interface ConfigSource {
  readonly configMap: { readonly name: string; readonly items: ReadonlyArray<{ readonly key: string }> };
}

/** What lies in the folder of scripts, with its text in the ConfigMap that it comes from. */
function scriptsOf(manifests: TestManifest[]): Array<{ key: string; text?: string }> {
  const { projected } = podOf(manifests).spec.volumes.find(({ name }: { name: string }) => name === 'config');
  return (projected.sources as ConfigSource[]).flatMap(({ configMap: { name, items } }) =>
    items.map(({ key }) => ({ key, text: pick(manifests, 'ConfigMap', name).data[key] as string | undefined })));
}

/** Scripts of ours that one of them imports, at any place, and that are not there; and files that no ConfigMap has. */
function missingScripts(manifests: TestManifest[]): string[] {
  const mounted = scriptsOf(manifests);
  const imported = mounted.flatMap(({ text = '' }) => [...text.matchAll(/^ *(?:from|import) ((?:binlog_|drill_|galera_|kube)\w*)/gm)])
    .map((found) => `${found[1]!}.py`);
  const there = mounted.filter(({ text }) => text !== undefined).map(({ key }) => key);
  return [...imported, ...mounted.map(({ key }) => key)].filter((name) => !there.includes(name));
}

describe('restore drill', () => {
  it('gives the container that holds a copy of the data no token, because SQL of checks runs there as superuser', () => {
    const { spec, restore, report } = podOf(withDrill());
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(restore.volumeMounts.map(({ name }) => name)).not.toContain('token');
    expect(report.volumeMounts.map(({ name }) => name)).toContain('token');
  });

  it('may write its status and an Event, and nothing else in the namespace', () => {
    expect(pick(withDrill(), 'Role', 'orders-drill').rules).toEqual([
      { apiGroups: [''], resources: ['configmaps'], resourceNames: ['orders-contract'], verbs: ['get'] },
      { apiGroups: [''], resources: ['configmaps'], resourceNames: ['orders-status'], verbs: ['get', 'patch'] },
      { apiGroups: [''], resources: ['events'], verbs: ['create'] },
    ]);
  });

  it('reaches the storage, DNS and the API server, and nobody reaches it', () => {
    const { podSelector, policyTypes, ingress, egress } = pick(withDrill(), 'NetworkPolicy', 'orders-drill').spec;
    expect([policyTypes, ingress]).toEqual([['Ingress', 'Egress'], undefined]);
    expect(podSelector.matchLabels).toEqual({ 'everest.io/cluster': 'orders', 'everest.io/component': 'drill', 'everest.io/drill': 'default' });
    expect(egress.at(-1)).toEqual({ ports: [{ port: 9000, protocol: 'TCP' }] });
  });

  it('is no member of the cluster, because Patroni counts Pods by these labels', () => {
    expect(pick(withDrill(), 'CronJob', 'orders-drill').spec.jobTemplate.spec.template.metadata.labels['everest.io/component']).toBe('drill');
  });

  it('restores into a volume that goes with its Pod, with room for data and log of a member', () => {
    const [data] = podOf(withDrill()).spec.volumes.filter((volume: { ephemeral?: object }) => volume.ephemeral);
    expect(data.ephemeral.volumeClaimTemplate.spec).toEqual({
      accessModes: ['ReadWriteOnce'], storageClassName: 'fast', volumeMode: 'Filesystem', resources: { requests: { storage: '12288Mi' } },
    });
    const [other] = podOf(withDrill({ storageSize: '50Gi', storageClassName: 'slow' })).spec.volumes.filter((volume: { ephemeral?: object }) => volume.ephemeral);
    expect(other.ephemeral.volumeClaimTemplate.spec).toMatchObject({ storageClassName: 'slow', resources: { requests: { storage: '50Gi' } } });
  });

  it('is not tried again when it failed, but when its node was drained', () => {
    expect(pick(withDrill({ deadline: Duration.hours(2) }), 'CronJob', 'orders-drill').spec.jobTemplate.spec).toMatchObject({
      backoffLimit: 0, activeDeadlineSeconds: 7200, ttlSecondsAfterFinished: 3600,
      podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] },
    });
  });

  it('starts without its Secrets too and knows their names, so that it can say which one is missing', () => {
    const manifests = withDrill();
    expect(orderOf(manifests).needs).toEqual([
      { option: 's3-key', environment: 'PGBACKREST_REPO1_S3_KEY', object: 'Secret s3', key: 'AWS_ACCESS_KEY_ID' },
      { option: 's3-key-secret', environment: 'PGBACKREST_REPO1_S3_KEY_SECRET', object: 'Secret s3', key: 'AWS_SECRET_ACCESS_KEY' },
      { option: 'cipher-pass', environment: 'PGBACKREST_REPO1_CIPHER_PASS', object: 'Secret orders-backup-pass', key: 'repository-1' },
      { option: 'storage-ca-file', file: 'repo1-storage-ca-file', object: 'ConfigMap ca', key: 'ca.crt' },
    ]);
    expect(podOf(manifests).variable('PGBACKREST_REPO1_S3_KEY')!.valueFrom).toEqual({ secretKeyRef: { name: 's3', key: 'AWS_ACCESS_KEY_ID', optional: true } });
    const access = podOf(manifests).spec.volumes.find(({ name }: { name: string }) => name === 'access');
    expect(access.projected.sources).toEqual([{ configMap: { name: 'ca', items: [{ key: 'ca.crt', path: 'repo1-storage-ca-file' }], optional: true } }]);
  });

  it('takes keys that may only read where it is given some', () => {
    const { variable } = podOf(withDrill({ access: StorageAccess.secret('readers') }));
    expect(variable('PGBACKREST_REPO1_S3_KEY')!.valueFrom).toMatchObject({ secretKeyRef: { name: 'readers' } });
    expect(variable('PGBACKREST_REPO1_S3_KEY_TYPE')!.value).toBe('shared');
  });

  it('asks the first database where a check names none, and gives PostgreSQL a quarter of its memory', () => {
    const checks = [{ name: 'rows', sql: 'SELECT true' }, { name: 'roles', sql: 'SELECT true', database: 'postgres' }];
    expect(orderOf(withDrill({ checks, resources: { limits: { memory: '2Gi' } } }))).toMatchObject({
      target: 'newest', sharedBuffersMiB: 512, repository: 1, dataDirectory: '/pgdata/pg17',
      checks: [{ name: 'rows', database: 'app', sql: 'SELECT true' }, { name: 'roles', database: 'postgres', sql: 'SELECT true' }],
    });
  });

  it('says what it is before the Job is ended for its deadline', () => {
    expect(orderOf(withDrill({ deadline: Duration.hours(1) })).deadlineSeconds).toBe(3570);
  });

  it('can be there several times, each with objects of its own', () => {
    const cluster = aCluster({ backup: { storage: STORAGE } });
    cluster.addRestoreDrill(WEEKLY);
    const { drillName } = cluster.addRestoreDrill({ ...WEEKLY, name: 'any', target: DrillTarget.random() });
    const manifests = manifestsOf(cluster);
    expect(drillName).toBe('any');
    expect(ofKind(manifests, 'CronJob').map(({ metadata }) => metadata.name)).toEqual(['orders-drill', 'orders-drill-any']);
    expect(orderOf(manifests, 'orders-drill-any').target).toBe('random');
    expect(cluster.apiObject('CronJob', 'orders-drill-any').kind).toBe('CronJob');
  });

  it('twice of one name is refused with a code', () => {
    const cluster = aCluster({ backup: { storage: STORAGE, drills: [WEEKLY] } });
    expect(everestErrorOf(() => cluster.addRestoreDrill(WEEKLY)).codes).toEqual(['EV1103']);
  });

  it('changes nothing of the members', () => {
    const members = (drills: RestoreDrillOptions[]) => synth({ backup: { storage: STORAGE, drills } })
      .filter(({ kind }) => kind === 'StatefulSet');
    expect(members([WEEKLY])).toEqual(members([]));
  });

  itWithSchemas('fits all versions of Kubernetes', () => {
    const manifests = withDrill({ checks: [{ name: 'rows', sql: 'SELECT true' }] });
    expect(MINORS.flatMap((minor) => schemaErrors(minor, manifests))).toEqual([]);
  });
});

describe('restore drill of a MariaDbCluster', () => {
  const backup = { storage: STORAGE };
  const props = { namespace: 'shop', storage: { size: '10Gi', storageClassName: 'fast' }, databases: [{ name: 'shop', owner: 'shop' }] };
  const aMariaDb = (drills: RestoreDrillOptions[] = [WEEKLY]) => new MariaDbCluster(testChart(), 'orders', { ...props, backup: { ...backup, drills } });
  const drilled = (options: Partial<RestoreDrillOptions> = {}) => manifestsOf(aMariaDb([{ ...WEEKLY, ...options }]));

  it('runs in the image of the members, without a token and with the storage\'s values as variables and files', () => {
    const { spec, restore, report, variable } = podOf(drilled());
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(restore.volumeMounts.map(({ name }) => name)).not.toContain('token');
    expect(report.volumeMounts.map(({ name }) => name)).toContain('token');
    expect(variable('EVEREST_STORAGE_S3_KEY')).toEqual({
      name: 'EVEREST_STORAGE_S3_KEY', valueFrom: { secretKeyRef: { name: 's3', key: 'AWS_ACCESS_KEY_ID', optional: true } },
    });
    expect(variable('EVEREST_STORAGE_CIPHER_PASS')!.valueFrom).toMatchObject({ secretKeyRef: { name: 'orders-backup-pass' } });
    expect(variable('EVEREST_DRILL_ACCESS')!.value).toBe(restore.volumeMounts.find(({ name }) => name === 'access')!.mountPath);
  });

  it('has every script that it imports beside it, from the ConfigMap of the members and from its own', () => {
    expect(missingScripts(drilled())).toEqual([]);
  });

  it('is told where the archive is as the members are, with keys of its own where it has some', () => {
    const order = orderOf(drilled({ access: StorageAccess.secret('reader'), checks: [{ name: 'rows', sql: 'SELECT 1' }] })) as {
      repository: { options: Record<string, string> }; needs: Array<{ option: string; object: string }>; checks: unknown;
    };
    expect(order.repository.options).toMatchObject({ 's3-bucket': 'backups', 'path': '/shop/orders' });
    expect(order.needs.map(({ option, object }) => `${option} ${object}`)).toEqual([
      's3-key Secret reader', 's3-key-secret Secret reader', 'cipher-pass Secret orders-backup-pass', 'storage-ca-file ConfigMap ca',
    ]);
    expect(order.checks).toEqual([{ name: 'rows', database: 'shop', sql: 'SELECT 1' }]);
  });

  it('reaches the storage, DNS and the API server, and no member', () => {
    const { egress } = pick(drilled(), 'NetworkPolicy', 'orders-drill').spec as { egress: Array<{ ports: Array<{ port: number }> }> };
    expect(egress.flatMap(({ ports }) => ports.map(({ port }) => port)).sort()).toEqual([443, 53, 53, 6443, 9000]);
  });

  it('changes nothing of the members', () => {
    const members = (drills: RestoreDrillOptions[]) => manifestsOf(aMariaDb(drills)).filter(({ kind }) => kind === 'StatefulSet');
    expect(members([WEEKLY])).toEqual(members([]));
  });

  it('can be added later, and is refused with the codes of PostgreSQL\'s', () => {
    const cluster = aMariaDb([]);
    expect(cluster.addRestoreDrill({ ...WEEKLY, name: 'any', target: DrillTarget.random() }).drillName).toBe('any');
    expect(everestErrorOf(() => cluster.addRestoreDrill({ cron: 'weekly' })).codes).toEqual(['EV1801']);
    expect(everestErrorOf(() => aMariaDb([{ ...WEEKLY, fromSecondary: true }])).codes).toEqual(['EV1821']);
    const without = new MariaDbCluster(testChart(), 'orders', props);
    expect(everestErrorOf(() => without.addRestoreDrill(WEEKLY)).codes).toEqual(['EV1821']);
  });

  itWithSchemas('fits all versions of Kubernetes', () => {
    const manifests = drilled({ checks: [{ name: 'rows', sql: 'SELECT 1' }] });
    expect(MINORS.flatMap((minor) => schemaErrors(minor, manifests))).toEqual([]);
  });
});

describe('restore drill of a PxcCluster', () => {
  const props = { namespace: 'shop', storage: { size: '10Gi' }, databases: [{ name: 'shop', owner: 'shop' }] };
  const aPxc = (drills: RestoreDrillOptions[] = [WEEKLY]) => new PxcCluster(testChart(), 'orders', { ...props, backup: { storage: STORAGE, drills } });
  const drilled = (options: Partial<RestoreDrillOptions> = {}) => manifestsOf(aPxc([{ ...WEEKLY, ...options }]));
  const containers = (manifests = drilled()) => {
    const all = podOf(manifests).spec.containers as Array<Container & { image: string; command: string[]; resources: { limits: { memory: string } } }>;
    return Object.fromEntries(all.map((container) => [container.name, container]));
  };

  it('has the vendor\'s image beside the script, for the server and for its programs, as members have', () => {
    const { restore, server, tools } = containers();
    expect(restore!.image).toBe('cdk8s-everest/mariadb:11.8');
    expect([server!.image, tools!.image]).toEqual(['percona/percona-xtradb-cluster:8.4.8-8.1', 'percona/percona-xtradb-cluster:8.4.8-8.1']);
    expect([server!.command[2], tools!.command[2]]).toEqual(['/run/mysqld', '/run/mysqld/tools']);
  });

  it('ends the vendor\'s containers with the reporter, because a Pod whose container waits for ever is never done', () => {
    const { server, tools, report } = containers();
    const socket = '/run/drill/report.sock';
    expect([server!.command.at(-1), tools!.command.at(-1)]).toEqual([socket, socket]);
    expect(report!.volumeMounts.find(({ name }) => name === 'report')!.mountPath).toBe('/run/drill');
    expect(server!.volumeMounts.find(({ name }) => name === 'report')!.mountPath).toBe('/run/drill');
  });

  it('gives keys of the storage to the script alone, since checks run in the server', () => {
    const { restore, server, tools } = containers();
    const mounted = ({ volumeMounts }: Container) => volumeMounts.map(({ name }) => name);
    expect(mounted(restore!)).toContain('access');
    for (const container of [server!, tools!]) {
      expect(container.env).toBeUndefined();
      expect(mounted(container)).toEqual(['config', 'data', 'sockets', 'tmp', 'report']);
    }
  });

  it('gives the drill\'s resources to the server, whose buffers follow from them', () => {
    const manifests = drilled({ resources: { limits: { memory: '2Gi' } } });
    expect(containers(manifests).server!.resources.limits.memory).toBe('2Gi');
    expect(orderOf(manifests)).toMatchObject({ bufferPoolMiB: 512 });
  });

  it('has every script that it imports beside it, and the one that starts the vendor\'s programs', () => {
    const names = scriptsOf(drilled()).map(({ key }) => key);
    expect(names).toContain('galera-run.sh');
    expect(missingScripts(drilled())).toEqual([]);
  });

  it('changes nothing of the members', () => {
    const members = (drills: RestoreDrillOptions[]) => manifestsOf(aPxc(drills)).filter(({ kind }) => kind === 'StatefulSet');
    expect(members([WEEKLY])).toEqual(members([]));
  });

  it('can be added later, and is refused with the codes of the others', () => {
    expect(aPxc([]).addRestoreDrill({ ...WEEKLY, name: 'any', target: DrillTarget.random() }).drillName).toBe('any');
    expect(everestErrorOf(() => new PxcCluster(testChart(), 'orders', props).addRestoreDrill(WEEKLY)).codes).toEqual(['EV1821']);
  });

  itWithSchemas('fits all versions of Kubernetes', () => {
    const manifests = drilled({ checks: [{ name: 'rows', sql: 'SELECT 1' }] });
    expect(MINORS.flatMap((minor) => schemaErrors(minor, manifests))).toEqual([]);
  });
});
