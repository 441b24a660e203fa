import { Duration } from 'cdk8s';
import fc from 'fast-check';
import {
  AntiAffinity, BackupEncryption, BackupRetention, BackupStorage, BackupType, Bootstrap, CertificateAuthority,
  Credentials, ImageCatalog, NetworkPeer, PodDisruption, Protection, RecoverySource, RecoveryTarget, Replication,
  StorageAccess, type PostgresClusterProps,
} from '../../src';

/*
 * Props as people write them (plausible), as only a slip of the keyboard makes them (mutated), and as nobody does
 * (wild).
 */

type Props = Record<string, unknown>;

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/);
const labelValue = fc.oneof(word, fc.constantFrom('', 'Team-A', '1.2.3', 'a_b'));
const labels = fc.dictionary(fc.oneof(word, word.map((name) => `example.com/${name}`)), labelValue, { maxKeys: 3 });
const sizes = fc.oneof(
  fc.integer({ min: 1, max: 500 }).map((count) => `${count}Gi`),
  fc.integer({ min: 512, max: 4096 }).map((count) => `${count}Mi`),
  fc.constantFrom('1.5Ti', '20G', '1e12', '2Pi', '536870912'),
);

/** Memory from 512Mi to 1Ti, in all spellings. */
export const memory = fc.oneof(
  fc.integer({ min: 512, max: 4096 }).map((count) => `${count}Mi`),
  fc.integer({ min: 1, max: 1024 }).map((count) => `${count}Gi`),
  fc.integer({ min: 2 ** 29, max: 2 ** 40 }).map(String),
  fc.constantFrom('1.5Gi', '4G', '1Ti', '0.5Gi', '2e9'),
);
const cpu = fc.oneof(
  fc.integer({ min: 50, max: 8000 }).map((count) => `${count}m`), fc.integer({ min: 1, max: 128 }).map(String), fc.constantFrom('0.5', '1.5'),
);

/** Requests, limits or both, with limits never below. */
export const resources = fc.oneof(
  fc.record({ requests: fc.record({ cpu, memory }, { requiredKeys: [] }) }, { requiredKeys: [] }),
  fc.record({ limits: fc.record({ cpu, memory }, { requiredKeys: [] }) }, { requiredKeys: [] }),
  fc.record({ cpu, memory }, { requiredKeys: ['memory'] }).map((amounts) => ({ requests: amounts, limits: amounts })),
);

const spread = fc.record({
  topologyKey: fc.constantFrom('kubernetes.io/hostname', 'topology.kubernetes.io/zone', 'example.com/rack'),
  maxSkew: fc.integer({ min: 1, max: 4 }),
  required: fc.boolean(),
}, { requiredKeys: ['topologyKey'] });

const toleration = fc.oneof(
  fc.record({ operator: fc.constant('Exists'), effect: fc.constantFrom('NoSchedule', 'PreferNoSchedule') }, { requiredKeys: ['operator'] }),
  fc.record({ key: word, value: labelValue, effect: fc.constantFrom('NoSchedule', 'NoExecute') }, { requiredKeys: ['key'] }),
  fc.record({ key: word, operator: fc.constant('Exists'), effect: fc.constant('NoExecute'), tolerationSeconds: fc.nat(3600) }),
);

const antiAffinity = fc.oneof(
  fc.constant(AntiAffinity.even()), fc.constant(AntiAffinity.none()),
  fc.constantFrom('kubernetes.io/hostname', 'topology.kubernetes.io/zone').map((key) => AntiAffinity.required(key)),
  fc.constantFrom('kubernetes.io/hostname', 'topology.kubernetes.io/zone').map((key) => AntiAffinity.preferred(key)),
);

const placement = fc.record({
  antiAffinity,
  topologySpread: fc.uniqueArray(spread, { maxLength: 2, selector: (rule) => rule.topologyKey }),
  tolerations: fc.array(toleration, { maxLength: 2 }),
  nodeSelector: labels,
}, { requiredKeys: [] });

const storage = fc.record({ size: sizes, storageClassName: word }, { requiredKeys: ['size'] });
const withWal = fc.record({ size: sizes, walSize: sizes, walStorageClassName: word }, { requiredKeys: ['size', 'walSize'] });

const parameters = fc.record({
  'work_mem': fc.constantFrom('1MB', '512kB'),
  'Log_Min_Duration_Statement': fc.constantFrom('250ms', '-1', '1s'),
  'random_page_cost': fc.constantFrom('1.1', '4'),
  'max_wal_senders': fc.constantFrom('200', '100'),
  'DateStyle': fc.constant('ISO, DMY'),
  'synchronous_commit': fc.constantFrom('on', 'remote_apply', 'off'),
  'autovacuum': fc.constantFrom('on', 'true', 'yes'),
  'pg_stat_statements.max': fc.constant('5000'),
}, { requiredKeys: [] });

const sqlName = fc.oneof(word.map((name) => `d${name}`), word.map((name) => `_${name}_x`));
const databases = fc.uniqueArray(
  fc.record({ name: sqlName, owner: sqlName }, { requiredKeys: ['name'] }), { maxLength: 3, selector: ({ name }) => name },
);

const peer = fc.oneof(
  fc.constantFrom('10.0.0.0/8', '192.168.0.0/16', 'fd00::/8').map((range) => NetworkPeer.cidr(range)),
  labels.filter((map) => Object.keys(map).length > 0).map((map) => NetworkPeer.podsWithLabels(map)),
  fc.tuple(word, labels).map(([namespace, map]) => NetworkPeer.podsInNamespace(namespace, map)),
  fc.constant(NetworkPeer.ownNamespace()),
);
const peers = fc.array(peer, { maxLength: 3 });

const image = fc.record({
  image: fc.constantFrom('registry.example.com/team/postgres:16.4', 'postgres:16.4-1', 'localhost:5000/pg:v1'),
  version: fc.constantFrom('16.4', '16'),
  digest: fc.constant(`sha256:${'0a'.repeat(32)}`),
  uid: fc.integer({ min: 1, max: 65535 }),
  tini: fc.constant('/sbin/tini'),
}, { requiredKeys: ['image', 'version'] });

const timing = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 3, max: 20 }), fc.nat(30))
  .map(([loop, retry, spare]) => ({
    ttl: Duration.seconds(Math.max(20, loop + 2 * retry) + spare), loopWait: Duration.seconds(loop),
    retryTimeout: Duration.seconds(retry),
  }));

const backupStorage = fc.oneof(
  fc.record({
    bucket: word.map((name) => `b-${name}`), access: fc.constantFrom(StorageAccess.secret('s3'), StorageAccess.webIdentity('arn:aws:iam::123456789012:role/b')),
    endpoint: fc.constantFrom('minio.storage.svc:9000', 's3.example.com'), region: fc.constant('eu-central-1'), pathStyle: fc.boolean(), prefix: word,
    certificateAuthority: fc.constantFrom(CertificateAuthority.fromConfigMap('ca'), CertificateAuthority.fromSecret('ca', 'tls.crt')),
    encryption: fc.constantFrom(BackupEncryption.generated(), BackupEncryption.existing('pass'), BackupEncryption.unencrypted()),
    network: peers,
  }, { requiredKeys: ['bucket', 'access'] }).map((options) => BackupStorage.s3(options)),
  word.map((name) => BackupStorage.gcs({ bucket: `b-${name}`, keySecret: 'gcs' })),
  word.map((name) => BackupStorage.azure({ container: `b-${name}`, account: 'account1', keySecret: 'azure' })),
);
const schedule = fc.record({
  name: word, cron: fc.constantFrom('0 2 * * *', '*/15 1-5 * * mon-fri', '30 1 1,15 * 0', '@weekly'),
  timeZone: fc.constantFrom('Europe/Berlin', 'UTC', 'America/New_York'), suspend: fc.boolean(), resources,
  type: fc.constantFrom(BackupType.full(), BackupType.differential(), BackupType.incremental()),
  deadline: fc.constant(Duration.hours(2)),
}, { requiredKeys: ['name', 'cron'] });
const backup = fc.record({
  storage: backupStorage, retention: fc.constantFrom(BackupRetention.days(7), BackupRetention.fullBackups(2)),
  schedules: fc.uniqueArray(schedule, { maxLength: 2, selector: ({ name }) => name }),
  archiveTimeout: fc.constant(Duration.minutes(2)),
  processes: fc.integer({ min: 1, max: 8 }), compressionLevel: fc.integer({ min: 1, max: 9 }),
}, { requiredKeys: ['storage'] });

const optionalProps: Record<string, fc.Arbitrary<unknown>> = {
  namespace: word,
  clusterName: word,
  version: fc.constantFrom('17', '14', '17.11', '14.5'),
  resources,
  parameters,
  pgHba: fc.array(fc.constantFrom('hostssl all all 10.0.0.0/8 scram-sha-256', 'host app app samenet scram-sha-256', 'local all all reject'), { maxLength: 2 }),
  timing,
  imagePullSecrets: fc.array(word, { maxLength: 2 }),
  credentials: fc.oneof(fc.constant(Credentials.generated()), word.map((name) => Credentials.existing(name))),
  databases,
  backup,
  placement,
  network: fc.record({ allowFrom: peers, apiServer: peers, dns: peers }, { requiredKeys: [] }),
  serviceAnnotations: fc.dictionary(word.map((name) => `example.com/${name}`), fc.string(), { maxKeys: 2 }),
  labels,
  annotations: fc.dictionary(word, fc.string({ unit: 'grapheme' }), { maxKeys: 2 }),
  kubernetesVersion: fc.constantFrom('1.27', '1.30', '1.36', '1.33.2'),
  protection: fc.constantFrom(Protection.retain(), Protection.deleteWithCluster()),
};

/** Members, groups and what depends on their number. */
const shape = fc.oneof({ weight: 2, arbitrary: storage },
  { weight: 1, arbitrary: withWal }).chain((volumes): fc.Arbitrary<Props> => {
  const groupStorage = 'walSize' in volumes ? withWal : storage;
  const group = fc.record({
    name: word.map((name) => `g${name}`), instances: fc.integer({ min: 1, max: 3 }), promotable: fc.boolean(), placement, resources, storage: groupStorage,
  }, { requiredKeys: ['name', 'instances'] });
  return fc.record({
    storage: fc.constant(volumes),
    instances: fc.integer({ min: 1, max: 7 }),
    memberGroups: fc.uniqueArray(group, { maxLength: 2, selector: ({ name }) => name }),
  }, { requiredKeys: ['storage'] }) as fc.Arbitrary<Props>;
});

function promotable(props: Props): number {
  const groups = (props.memberGroups ?? []) as Array<{ instances: number; promotable?: boolean }>;
  const others = groups.filter((group) => group.promotable !== false).map((group) => group.instances);
  return others.reduce((sum, count) => sum + count, (props.instances ?? 3) as number);
}

function fittingReplication(count: number, standbys: number, strict: boolean): Replication {
  const options = { standbys: Math.max(1, Math.min(standbys, count - 1)), strict };
  if (count < 2) return Replication.asynchronous({ maximumLagOnFailover: '16Mi' });
  return count % 2 === 1 ? Replication.quorum(options) : Replication.synchronous(options);
}

/** Props that are all right nearly always (a few contradict each other). */
export const plausibleProps: fc.Arbitrary<Props> = fc.tuple(
  shape, fc.record(optionalProps, { requiredKeys: [] }),
  fc.option(fc.record({ standbys: fc.integer({ min: 1, max: 3 }), strict: fc.boolean() })),
  fc.record({ image, podDisruption: fc.constantFrom(PodDisruption.unprotected(), PodDisruption.maxUnavailable(1)) },
    { requiredKeys: [] }),
  fc.nat(9),
).map(([base, more, wish, rare, dice]) => ({
  ...base, ...more,
  ...(wish ? { replication: fittingReplication(promotable(base), wish.standbys, wish.strict) } : {}),
  ...(dice === 0 ? rare : {}),
  ...(dice === 0 && rare.image ? { version: undefined } : {}),
}));

/** Values that belong nowhere. */
const wild: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, NaN, Infinity, -1, 0, 1.5, 1e30, '', ' ', '\u0000', '\n', 'ÄÖ 😀', '\ud800', '__proto__', 'constructor', true, 7n,
    'true', '3', '10gb', '-1Gi', '1e400', 'NaN', [], {}, [null], { toString: 1 }, Symbol('s'), () => 1, new Date(0), /x/, new Map()),
  fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.double(), fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }),
);

/** Factories of the enum-like classes with arguments of any kind; what the factory itself refuses is left out. */
const oddInstances: fc.Arbitrary<unknown> = fc.tuple(wild, wild, fc.nat(15)).map(([a, b, which]) => {
  const loose = (value: unknown) => value as never;
  const makers = [
    () => Replication.synchronous({ standbys: loose(a), strict: loose(b) }),
    () => Replication.quorum({ standbys: loose(a) }),
    () => Replication.asynchronous({ maximumLagOnFailover: loose(a) }), () => PodDisruption.maxUnavailable(loose(a)),
    () => AntiAffinity.required(loose(a)), () => Credentials.existing(loose(a)), () => NetworkPeer.cidr(loose(a)),
    () => NetworkPeer.podsWithLabels({ app: loose(a) }), () => NetworkPeer.podsInNamespace(loose(a), loose(b)),
    () => ImageCatalog.of(loose(a), loose(b)), () => ImageCatalog.of({ image: loose(a), version: loose(b) }),
    () => BackupStorage.s3(loose(a)),
    () => BackupStorage.s3({ bucket: loose(a), access: StorageAccess.secret(loose(b)) }),
    () => BackupStorage.s3({ bucket: 'b-1', access: StorageAccess.webIdentity(loose(a)), encryption: BackupEncryption.existing(loose(b)) }),
    () => BackupStorage.azure({ container: loose(a), account: loose(b) }), () => Bootstrap.fresh(loose(a)),
    () => Bootstrap.recover(loose(a)),
    () => Bootstrap.recover({ from: RecoverySource.storage(loose(a), loose(b)) }),
    () => Bootstrap.recover({
      from: RecoverySource.storage(BackupStorage.azure({ container: 'abc', account: 'abc' }), { clusterName: loose(a) }),
      target: RecoveryTarget.time(loose(b)),
    }),
  ];
  try {
    return makers[which]!();
  } catch {
    return undefined;
  }
});

type Step = { readonly at: number; readonly how: 'drop' | 'replace' | 'misspell' | 'odd' | 'nudge'; readonly value: unknown; readonly odd: unknown };

const step: fc.Arbitrary<Step> = fc.record({
  at: fc.nat(1000), how: fc.constantFrom('drop', 'replace', 'misspell', 'odd', 'nudge' as const), value: wild, odd: oddInstances,
});

type Place = { readonly holder: Record<string, unknown>; readonly key: string };

function isPlain(value: unknown): value is Record<string, unknown> {
  return Array.isArray(value) || (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype);
}

/** All places of a tree of plain objects and lists. */
function places(value: unknown): Place[] {
  if (!isPlain(value)) return [];
  return Object.keys(value).flatMap((key) => [{ holder: value, key }, ...places(value[key])]);
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  return isPlain(value) ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copy(each)])) : value;
}

/** A number or a text that is a little off: where limits are hit. */
function nudge(value: unknown): unknown {
  if (typeof value === 'number') return value * 100 - 150;
  return typeof value === 'string' ? `${value}${value.slice(-1)}`.repeat(value.length > 3 ? 20 : 1) : value;
}

function mutate(props: Props, steps: readonly Step[]): unknown {
  const changed = copy(props) as Props;
  for (const { at, how, value, odd } of steps) {
    const all = places(changed);
    const { holder, key } = all[at % all.length] ?? { holder: changed, key: 'storage' };
    if (how === 'replace') holder[key] = value;
    if (how === 'nudge') holder[key] = nudge(holder[key]);
    if (how === 'odd') changed[['replication', 'podDisruption', 'credentials', 'imageCatalog'][at % 4]!] = odd;
    if (how === 'misspell') holder[`${key.slice(0, -1)}x`] = holder[key];
    if (how === 'drop' || how === 'misspell') delete holder[key];
  }
  return changed;
}

const mutated = fc.tuple(plausibleProps, fc.array(step, { minLength: 1, maxLength: 3 }))
  .map(([props, steps]) => mutate(props, steps));

/** An odd object where its class is right: only its content is off. */
const oddInPlace = fc.tuple(plausibleProps, oddInstances).map(([props, odd]) => {
  const field = { Replication: 'replication', PodDisruption: 'podDisruption', Credentials: 'credentials', ImageCatalog: 'imageCatalog' }[
    (odd as object | undefined)?.constructor.name ?? ''];
  if (odd instanceof AntiAffinity) return { ...props, placement: { antiAffinity: odd } };
  if (odd instanceof BackupStorage) return { ...props, backup: { storage: odd } };
  if (odd instanceof Bootstrap) return { ...props, bootstrap: odd };
  if (odd instanceof NetworkPeer) return { ...props, network: { allowFrom: [odd] } };
  return field ? { ...props, [field]: odd } : props;
});

/** Props of any quality. */
export const anyProps: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: plausibleProps }, { weight: 5, arbitrary: mutated }, { weight: 1, arbitrary: oddInPlace },
  { weight: 1, arbitrary: wild },
);

/** Only props without a finding. */
export function validProps(findings: (props: unknown) => readonly unknown[]): fc.Arbitrary<PostgresClusterProps> {
  return plausibleProps
    .filter((props) => findings(props).length === 0) as unknown as fc.Arbitrary<PostgresClusterProps>;
}
