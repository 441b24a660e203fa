import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bootstrap, PasswordRotation } from '../../../src';
import { parseOverride } from '../../../src/document/overrides';
import { readClusters, type ReadOptions } from '../../../src/document/read';
import { renderFinding } from '../../../src/errors';

const HEAD = 'apiVersion: everest.io/v1alpha1\nkind: DatabaseCluster\nmetadata:\n  name: orders\n';

function example(name: string): string {
  return readFileSync(join(__dirname, '..', '..', '..', 'examples', name), 'utf8');
}

function read(text: string, options: ReadOptions = {}) {
  return readClusters(text, { file: 'db.yaml', ...options });
}

function messages(text: string, options: ReadOptions = {}): string[] {
  return read(text, options).findings.map((finding) => renderFinding(finding, '').split('. ')[0]!);
}

describe('readClusters', () => {
  it('takes the document of the seed as it stands', () => {
    const { clusters, findings } = read(example('production-db.yaml'));
    expect(findings).toEqual([]);
    expect(clusters).toHaveLength(1);
    expect(clusters[0]).toMatchObject({
      name: 'production-db', namespace: 'default',
      props: {
        version: '14.5', instances: 3, resources: { requests: { cpu: '4', memory: '16Gi' } }, storage: { size: '500Gi', storageClassName: 'io1-fast' },
      },
    });
  });

  it('takes every field that there is', () => {
    expect(read(example('full.yaml')).findings).toEqual([]);
  });

  it('takes the other document of the seed as it stands: its storage is described by a Secret, since nothing else describes it', () => {
    const { clusters, findings } = read(example('order-service-db.yaml'));
    expect(findings).toEqual([]);
    expect(clusters[0]).toMatchObject({
      engine: 'percona-xtradb-cluster', name: 'order-service-db', namespace: 'backend',
      props: {
        version: '8.0', instances: 3, storage: { size: '100Gi', storageClassName: 'gp3-encrypted' },
        placement: { antiAffinity: { mode: 'required', topologyKey: 'kubernetes.io/hostname' } },
        backup: { storage: { secretOptions: { secretName: 's3-backup-conf' } }, schedules: [{ name: 'default', cron: '0 0 * * *' }] },
        pmm: { url: 'http://pmm-server.monitoring.svc.cluster.local' },
      },
    });
  });

  describe('a storage that a cluster names', () => {
    const named = (engine: string) => `${HEAD}spec: { engine: ${engine}, storage: { size: 10Gi }, backup: { schedule: 0 2 * * *, storageName: s3-main } }\n`;

    it.each(['postgresql', 'mariadb', 'percona-xtradb-cluster'])('is a Secret for %s where no document describes any, because that is all that people with old documents have', (engine) => {
      const { clusters, findings } = read(named(engine));
      expect(findings).toEqual([]);
      expect(clusters[0]!.props).toMatchObject({ backup: { storage: { type: 's3', secretOptions: { secretName: 's3-main' } } } });
    });

    it('has to be described where others are, because a name that is misspelt would be taken for a Secret\'s', () => {
      const other = '---\napiVersion: everest.io/v1alpha1\nkind: BackupStorage\nmetadata: { name: s3-mian }\nspec: { type: s3, bucket: backups, credentialsSecretName: s3 }\n';
      expect(messages(named('postgresql') + other)).toEqual([expect.stringMatching(/^\[EV1807\] .*did you mean s3-mian\?/)]);
    });
  });

  it('takes users of a Galera document, and names their fields', () => {
    const text = (role: string) => `${HEAD}spec: { engine: mariadb, storage: { size: 10Gi }, roles: [${role}] }\n`;
    const { clusters, findings } = read(text('{ name: reporting, grants: [{ database: app, access: readOnly }], existingSecret: reporting }'));
    expect(findings).toEqual([]);
    expect(clusters[0]!.props).toMatchObject({ roles: [{ name: 'reporting', secretName: 'reporting', grants: [{ database: 'app', access: { level: 'readOnly' } }] }] });
    expect(messages(text('{ name: reporting, existingSecret: My Secret }'))).toEqual([expect.stringMatching(/^\[EV2205\] .*spec\.roles\[0\]\.existingSecret/)]);
    const rotated = read(text('{ name: app, rotation: { everyDays: 30, oldValidForHours: 24 } }')).clusters[0]!.props as unknown as { roles: Array<{ rotation: PasswordRotation }> };
    expect(rotated.roles[0]!.rotation.oldValidFor!.toHours()).toBe(24);
    expect(messages(text('{ name: app, rotation: { everyDays: 0.01 } }'))).toEqual([expect.stringMatching(/^\[EV2205\] .*spec\.roles\[0\]\.rotation\.everyDays/)]);
    expect(messages(text('{ name: app, inRoles: [other] }'))).toEqual([expect.stringMatching(/^\[EV1001\] .*spec\.roles\[0\]\.inRoles/)]);
  });

  it('begins a Galera cluster with the backups of another one, and names what is wrong with the moment', () => {
    const text = (target: string) => `${HEAD}spec: { engine: mariadb, storage: { size: 10Gi }, bootstrap: { recover: { storageName: s3, clusterName: old, target: ${target} } } }\n`;
    const { clusters, findings } = read(text('{ transaction: 1-1-4711, exclusive: true }'));
    expect(findings).toEqual([]);
    const { bootstrap } = clusters[0]!.props as unknown as { bootstrap: Bootstrap };
    expect(bootstrap.recovery!.target).toMatchObject({ type: 'xid', value: '1-1-4711', options: { exclusive: true } });
    expect(read(text('{ latest: true, skipTransactions: [1-1-4711] }')).findings).toEqual([]);
    expect(messages(text('{ transaction: 0/5000060 }'))).toEqual([expect.stringMatching(/^\[EV2302\] .*spec\.bootstrap\.recover\.target: the target \(transaction\)/)]);
    expect(messages(text('{ time: yesterday }'))).toEqual([expect.stringMatching(/^\[EV2302\] .*spec\.bootstrap\.recover\.target/)]);
    expect(messages(text('{ exclusive: true }'))).toEqual([expect.stringMatching(/the target names no moment/)]);
    expect(messages(text('{ lsn: 0/5000060 }'))).toEqual([expect.stringMatching(/^\[EV1001\] .*spec\.bootstrap\.recover\.target\.lsn/)]);
    expect(messages(text('{ latest: true }').replace('clusterName: old', 'clusterName: old, replacing: x'))).toEqual([expect.stringMatching(/^\[EV2302\] .*x would restore old in place of orders/)]);
  });

  it('names the fields of a Galera document', () => {
    const text = `${HEAD}spec:\n  engine: mariadb\n  replicas: 2\n  storage: { size: 10Gi }\n`;
    expect(messages(text)).toEqual([expect.stringMatching(/^\[EV2001\] db\.yaml:7:3: spec\.replicas/)]);
  });

  it('gives line and column of each mistake, because documents are long', () => {
    expect(messages(`${HEAD}spec:\n  engine: postgresql\n  instnces: 3\n  storage:\n    size: ten\n`)).toEqual([
      '[EV1001] db.yaml:7:3: spec.instnces: there is no field "instnces"; did you mean instances?',
    ].map((text) => expect.stringContaining(text)));
    expect(messages(`${HEAD}spec:\n  engine: postgresql\n  storage:\n    size: ten\n`)).toEqual([
      expect.stringContaining('[EV1205] db.yaml:8:5: spec.storage.size: "ten" is not a quantity'),
    ]);
  });

  it('names the fields of the document and not those of the props, because people look for them', () => {
    const text = `${HEAD}spec:\n  engine: postgresql\n  replicas: 0\n  volumeSpec: { pvc: { resources: { requests: { storage: 1Mi } } } }\n`;
    expect(messages(text)).toEqual([
      expect.stringMatching(/^\[EV1201\] db\.yaml:7:3: spec\.replicas/),
      expect.stringMatching(/^\[EV1208\] db\.yaml:8:\d+: spec\.volumeSpec\.pvc\.resources\.requests\.storage/),
    ]);
  });

  it('reports the mistakes of all documents, and gives none of the clusters away that are right', () => {
    const text = ['a', 'b'].map((name) => `${HEAD.replace('orders', name)}spec: { engine: postgresql, instances: 0, storage: { size: 1Gi } }\n`).join('---\n');
    expect(messages(text)).toHaveLength(2);
  });

  it.each([
    ['monitoring', '{ pmm: { enabled: true } }'],
  ])('says of %s that it comes later, because a database without it would be trusted as if it had it', (field, value) => {
    expect(messages(`${HEAD}spec:\n  engine: postgresql\n  storage: { size: 1Gi }\n  ${field}: ${value}\n`)).toEqual([
      expect.stringMatching(/^\[EV1007\] db\.yaml:8:3/),
    ]);
  });

  it.each([
    ['instances: 3\n  replicas: 3', 'spec.replicas'], ['volumeSpec: { pvc: { resources: { requests: { storage: 1Gi } } } }', 'spec.volumeSpec'],
  ])('refuses two spellings of one thing (%s), because one of them would have no effect', (field, place) => {
    expect(messages(`${HEAD}spec:\n  engine: postgresql\n  storage: { size: 1Gi }\n  ${field}\n`)).toEqual([expect.stringContaining(place)]);
  });

  it('leaves empty documents out, because a trailing --- is no mistake', () => {
    expect(read(`${example('production-db.yaml')}---\n`).clusters).toHaveLength(1);
  });

  it('refuses text without any document, because an empty file is mostly the wrong file', () => {
    expect(messages('# nothing\n')).toEqual([expect.stringContaining('[EV1005] db.yaml: there is no document in it')]);
  });

  it.each(['&a [*a, *a]', `&a [${'x,'.repeat(10)}]\n  b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n  c: [${'*b,'.repeat(60)}]`])(
    'survives aliases that would grow without end: %.12s', (value) => {
      expect(messages(`${HEAD}spec:\n  engine: ${value}\n`).length).toBeGreaterThan(0);
    });
});

describe('overrides', () => {
  const BASE = `${HEAD}spec: { engine: postgresql, version: "17", instances: 3, storage: { size: 1Gi } }\n`;

  function overridden(...texts: string[]) {
    return read(BASE, { overrides: texts.map((text) => parseOverride(text)!) });
  }

  it('take the place of the document\'s value, in the type of the field', () => {
    const { clusters, findings } = overridden('spec.instances=5', 'spec.version=14', 'spec.storage.size=2Gi', 'spec.databases[0].name=shop');
    expect(findings).toEqual([]);
    expect(clusters[0]!.props).toMatchObject({ instances: 5, version: '14', storage: { size: '2Gi' }, databases: [{ name: 'shop' }] });
  });

  it('are checked like everything else', () => {
    expect(overridden('spec.instnces=5').findings.map(({ code }) => code)).toEqual(['EV1001']);
    expect(overridden('spec.instances=many').findings.map(({ code }) => code)).toEqual(['EV1002']);
    expect(overridden('spec.version.major=1').findings.map(({ code }) => code)).toEqual(['EV1008']);
  });

  it.each(['', 'spec', '=1', 'spec..a=1', 'a b=1'])('are refused when they name no field: %j', (text) => {
    expect(parseOverride(text)).toBeUndefined();
  });

  it('may hold the sign = in the value', () => {
    expect(parseOverride('spec.serviceAnnotations.x=a=b')).toEqual({ path: ['spec', 'serviceAnnotations', 'x'], value: 'a=b' });
  });
});
