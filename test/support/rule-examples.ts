import { Duration } from 'cdk8s';
import { BACKUP_EXAMPLES } from './backup-rule-examples';
import { aCluster, everestErrorOf, findingsOf, someProps, synth, testChart } from './cluster';
import { GALERA_EXAMPLES } from './galera-rule-examples';
import { findingsOfCall, props, type Loose, type RuleExample } from './rule-example';
import {
  AntiAffinity, BackupStorage, Bootstrap, Credentials, DatabaseAccess, EverestAgent, ImageCatalog, NetworkPeer,
  PasswordRotation, PodDisruption, PostgresCluster, RecoverySource, Replication, StorageAccess,
  type EverestAgentProps, type PoolerOptions, type PostgresClusterProps,
} from '../../src';
import { checkChanges } from '../../src/cli/previous';
import { synth as synthCommand } from '../../src/cli/synth';
import { readClusters } from '../../src/document/read';
import type { Finding } from '../../src/errors';
import type { Manifest } from '../../src/parts/manifest';
import { runRules } from '../../src/rules/run';

/* At least one bad and one good input for every code. The messages of the bad ones are test/golden/messages.txt. */

/** Another library's class of the same name. */
function foreignDuration(): unknown {
  const classes = { Duration: class { public readonly seconds = 30; } };
  return new classes.Duration();
}

/** Of a document, the agent is no more than a name. */
const AGENT = { agentName: 'everest-agent' };

function withRoles(...roles: object[]): Loose {
  return { agent: AGENT, roles };
}

function withDatabase(database: object): Loose {
  return { agent: AGENT, databases: [{ name: 'app', ...database }] };
}

const SHAPE = [
  props('EV1001', 'a misspelled prop', 'instnces', { bad: { instnces: 3 }, good: { instances: 3 } }),
  props('EV1001', 'a misspelled field deep inside', 'memberGroups[0].storage.sise', {
    bad: { memberGroups: [{ name: 'spot', instances: 1, storage: { size: '1Gi', sise: '1Gi' } }] },
    good: { memberGroups: [{ name: 'spot', instances: 1, storage: { size: '1Gi' } }] },
  }),
  props('EV1002', 'a number where text belongs', 'version', { bad: { version: 17 }, good: { version: '17' } }),
  props('EV1002', 'NaN as a number', 'instances', { bad: { instances: NaN }, good: { instances: 1 } }),
  props('EV1002', 'null', 'storage', { bad: { storage: null }, good: {} }),
  props('EV1002', 'a string where an object of a class belongs', 'replication', {
    bad: { replication: 'quorum' }, good: { replication: Replication.quorum() },
  }),
  props('EV1002', 'a Duration of another library', 'timing.ttl', {
    bad: { timing: { ttl: foreignDuration() } },
    good: { timing: { ttl: Duration.seconds(30) } },
  }),
  props('EV1002', 'a number inside an object of a class', 'placement.antiAffinity.topologyKey', {
    bad: { placement: { antiAffinity: AntiAffinity.required(1 as never) } },
    good: { placement: { antiAffinity: AntiAffinity.required() } },
  }),
  props('EV1003', 'storage without a size', 'storage.size', { bad: { storage: {} }, good: {} }),
  props('EV1003', 'a member group without a number', 'memberGroups[0].instances', {
    bad: { memberGroups: [{ name: 'spot' }] }, good: { memberGroups: [{ name: 'spot', instances: 2 }] },
  }),
];

const NAMES = [
  props('EV1101', 'an upper-case name', 'clusterName', { bad: {}, good: {} }),
  props('EV1104', 'a namespace with a dot', 'namespace', { bad: {}, good: {} }),
  props('EV1102', 'a name that leaves no room for the members', 'clusterName', { bad: {}, good: {} }),
].map((example): RuleExample => {
  const [bad, good] = {
    EV1101: [['Orders_DB', 'shop'], ['orders-db', 'shop']],
    EV1104: [['orders', 'shop.prod'], ['orders', 'shop-prod']],
    EV1102: [['o'.repeat(51), 'shop'], ['o'.repeat(50), 'shop']],
  }[example.code] as [[string, string], [string, string]];
  return { ...example, bad: () => findingsOf(someProps(), ...bad), good: () => findingsOf(someProps(), ...good) };
});

const METADATA = [
  props('EV1102', 'a group name that leaves no room for the members', 'memberGroups[0].name', {
    bad: { memberGroups: [{ name: 'g'.repeat(44), instances: 1 }] }, good: { memberGroups: [{ name: 'g'.repeat(43), instances: 1 }] },
  }),
  props('EV1105', 'a label value with a space', 'labels.team', { bad: { labels: { team: 'check out' } }, good: { labels: { team: 'check-out' } } }),
  props('EV1105', 'an annotation key with two slashes', 'serviceAnnotations["a/b/c"]', {
    bad: { serviceAnnotations: { 'a/b/c': 'x' } }, good: { serviceAnnotations: { 'a.b/c': 'any text: ö' } },
  }),
  props('EV1106', 'a label of the library', 'labels["everest.io/cluster"]', {
    bad: { labels: { 'everest.io/cluster': 'mine' } }, good: { labels: { 'example.com/cluster': 'mine' } },
  }),
  props('EV1106', 'an annotation that lets Argo CD replace objects by force', 'annotations["argocd.argoproj.io/sync-options"]', {
    bad: { annotations: { 'argocd.argoproj.io/sync-options': 'Replace=true' } },
    good: { annotations: { 'argocd.argoproj.io/sync-wave': '2' } },
  }),
];

const MEMBERS = [
  props('EV1201', 'no instance', 'instances', { bad: { instances: 0 }, good: { instances: 1 } }),
  props('EV1201', 'half an instance in a group', 'memberGroups[0].instances', {
    bad: { memberGroups: [{ name: 'spot', instances: 1.5 }] }, good: { memberGroups: [{ name: 'spot', instances: 1 }] },
  }),
  props('EV1202', 'an even number with quorum', 'instances', {
    bad: { instances: 4, replication: Replication.quorum() }, good: { instances: 5, replication: Replication.quorum() },
  }),
  props('EV1203', 'more confirming standbys than there are', 'replication.standbys', {
    bad: { instances: 3, replication: Replication.synchronous({ standbys: 3, strict: true }) },
    good: { instances: 4, replication: Replication.synchronous({ standbys: 3, strict: true }) },
  }),
  props('EV1203', 'standbys that do not count, since they are never promoted', 'replication.standbys', {
    bad: { instances: 1, memberGroups: [{ name: 'spot', instances: 3, promotable: false }], replication: Replication.synchronous() },
    good: { instances: 1, memberGroups: [{ name: 'spot', instances: 3 }], replication: Replication.synchronous() },
  }),
  props('EV1203', 'no standby at all in synchronous replication', 'replication.standbys', {
    bad: { replication: Replication.quorum({ standbys: 0 }) },
    good: { replication: Replication.quorum({ standbys: 1 }) },
  }),
  props('EV1205', 'a unit that does not exist', 'storage.size', { bad: { storage: { size: '100gb' } }, good: { storage: { size: '100Gi' } } }),
  props('EV1205', 'a negative amount', 'resources.requests.cpu', {
    bad: { resources: { requests: { cpu: '-1' } } }, good: { resources: { requests: { cpu: '1' } } },
  }),
  props('EV1205', 'a lag that does not parse', 'replication.maximumLagOnFailover', {
    bad: { replication: Replication.asynchronous({ maximumLagOnFailover: '1 MiB' }) },
    good: { replication: Replication.asynchronous({ maximumLagOnFailover: '1Mi' }) },
  }),
  props('EV1206', 'a limit below its request', 'resources.limits.memory', {
    bad: { resources: { requests: { memory: '4Gi' }, limits: { memory: '2Gi' } } },
    good: { resources: { requests: { memory: '4Gi' }, limits: { memory: '4Gi' } } },
  }),
  props('EV1207', 'less memory than PostgreSQL and Patroni need', 'resources.requests.memory', {
    bad: { resources: { requests: { memory: '256Mi' } } }, good: { resources: { requests: { memory: '512Mi' } } },
  }),
  props('EV1207', 'less memory in a group', 'memberGroups[0].resources.limits.memory', {
    bad: { memberGroups: [{ name: 'tiny', instances: 1, resources: { limits: { memory: '300Mi' } } }] },
    good: { memberGroups: [{ name: 'tiny', instances: 1, resources: { limits: { memory: '600Mi' } } }] },
  }),
  props('EV1207', 'settings that add up to more than the limit', 'parameters', {
    bad: { resources: { limits: { memory: '2Gi' } }, parameters: { Work_Mem: '64MB' } },
    good: { resources: { limits: { memory: '16Gi' } }, parameters: { Work_Mem: '16MB' } },
  }),
  props('EV1208', 'a volume that is too small', 'storage.size', { bad: { storage: { size: '100Mi' } }, good: { storage: { size: '512Mi' } } }),
  props('EV1208', 'a volume for the write-ahead log in one group only', 'memberGroups[0].storage.walSize', {
    bad: { memberGroups: [{ name: 'spot', instances: 1, storage: { size: '1Gi', walSize: '1Gi' } }] },
    good: { storage: { size: '1Gi', walSize: '1Gi' }, memberGroups: [{ name: 'spot', instances: 1, storage: { size: '1Gi', walSize: '1Gi' } }] },
  }),
];

const SETTINGS = [
  props('EV1301', 'a setting of Patroni', 'parameters.Primary_Conninfo', {
    bad: { parameters: { Primary_Conninfo: 'host=x' } }, good: { parameters: { application_name: 'x' } },
  }),
  props('EV1302', 'a setting that does not exist', 'parameters.shared_bufers', {
    bad: { parameters: { shared_bufers: '256MB' } }, good: { parameters: { shared_buffers: '256MB' } },
  }),
  props('EV1302', 'a word that only JavaScript knows', 'parameters.constructor', {
    bad: { parameters: { constructor: 'x' } }, good: { parameters: { 'pg_stat_statements.max': '10000' } },
  }),
  props('EV1302', 'one setting in two spellings', 'parameters.Work_Mem', {
    bad: { parameters: { work_mem: '1MB', Work_Mem: '2MB' } }, good: { parameters: { Work_Mem: '2MB' } },
  }),
  props('EV1303', 'a unit of time for memory', 'parameters.work_mem', {
    bad: { parameters: { work_mem: '4s' } }, good: { parameters: { work_mem: '4MB' } },
  }),
  props('EV1303', 'a number out of range', 'parameters.random_page_cost', {
    bad: { parameters: { random_page_cost: '-1' } }, good: { parameters: { random_page_cost: '1.1' } },
  }),
  props('EV1303', 'a word that could be on or off', 'parameters.autovacuum', {
    bad: { parameters: { autovacuum: 'o' } }, good: { parameters: { autovacuum: 'of' } },
  }),
  props('EV1303', 'on for a setting that has no on', 'parameters.log_error_verbosity', {
    bad: { parameters: { log_error_verbosity: 'on' } }, good: { parameters: { log_error_verbosity: 'verbose' } },
  }),
  props('EV1303', 'a line break in a setting of an extension', 'parameters["app.name"]', {
    bad: { parameters: { 'app.name': 'x\nfsync = off' } }, good: { parameters: { 'app.name': 'x' } },
  }),
  props('EV1304', 'a lease that is too short for its parts', 'timing', {
    bad: { timing: { ttl: Duration.seconds(20), loopWait: Duration.seconds(10), retryTimeout: Duration.seconds(10) } },
    good: { timing: { ttl: Duration.seconds(20), loopWait: Duration.seconds(5), retryTimeout: Duration.seconds(5) } },
  }),
  props('EV1304', 'parts of seconds', 'timing.loopWait', {
    bad: { timing: { loopWait: Duration.millis(1500) } }, good: { timing: { loopWait: Duration.millis(2000) } },
  }),
  props('EV1304', 'a lease of a day', 'timing.ttl', { bad: { timing: { ttl: Duration.days(1) } }, good: { timing: { ttl: Duration.hours(1) } } }),
  props('EV1305', 'a line that starts with nonsense', 'pgHba[0]', {
    bad: { pgHba: ['hots all all all scram-sha-256'] }, good: { pgHba: ['host all all all scram-sha-256'] },
  }),
  props('EV1305', 'a line that lets everybody in', 'pgHba[0]', {
    bad: { pgHba: ['host all all 0.0.0.0/0 trust'] }, good: { pgHba: ['host all all 10.0.0.0 255.0.0.0 scram-sha-256'] },
  }),
  props('EV1306', 'fewer senders than members', 'parameters.max_wal_senders', {
    bad: { instances: 5, parameters: { max_wal_senders: '3' } }, good: { instances: 5, parameters: { max_wal_senders: '6' } },
  }),
  props('EV1306', 'no protection against a power loss', 'parameters.FSYNC', {
    bad: { parameters: { FSYNC: 'off' } }, good: { parameters: { FSYNC: 'on' } },
  }),
  props('EV1307', 'a database that needs quotes', 'databases[0].name', {
    bad: { databases: [{ name: 'My-App', owner: 'app' }] }, good: { databases: [{ name: 'my_app', owner: 'app' }] },
  }),
  props('EV1307', 'the superuser as owner', 'databases[0].owner', {
    bad: { databases: [{ name: 'app', owner: 'postgres' }] }, good: { databases: [{ name: 'app', owner: 'app_owner' }] },
  }),
  props('EV1307', 'an owner that no Secret can be named after', 'databases[0].owner', {
    bad: { databases: [{ name: 'app', owner: 'app_' }] }, good: { databases: [{ name: 'app_', owner: '_app' }] },
  }),
];

const IMAGES = [
  props('EV1401', 'a version that the catalog lacks', 'version', { bad: { version: '16' }, good: { version: '14.5' } }),
  props('EV1401', 'an empty catalog', 'imageCatalog', {
    bad: { imageCatalog: ImageCatalog.of() }, good: { imageCatalog: ImageCatalog.standard().withRegistry('mirror.example') },
  }),
  props('EV1403', 'a tag that moves', 'image.image', {
    bad: { image: { image: 'postgres:latest', version: '17.11' } }, good: { image: { image: 'postgres:17.11-1', version: '17.11' } },
  }),
  props('EV1403', 'root', 'image.uid', {
    bad: { image: { image: 'postgres:17.11', version: '17.11', uid: 0 } }, good: { image: { image: 'postgres:17.11', version: '17.11', uid: 26 } },
  }),
  props('EV1403', 'another version than the image holds', 'version', {
    bad: { version: '17', image: { image: 'postgres:16.4', version: '16.4' } }, good: { version: '16', image: { image: 'postgres:16.4', version: '16.4' } },
  }),
  props('EV1405', 'a Kubernetes that is too old', 'kubernetesVersion', { bad: { kubernetesVersion: '1.26' }, good: { kubernetesVersion: '1.27' } }),
  props('EV1405', 'a field that is newer than the Kubernetes', 'preferSameZoneReads', {
    bad: { preferSameZoneReads: true }, good: { preferSameZoneReads: true, kubernetesVersion: '1.31' },
  }),
];

const SURROUNDINGS = [
  props('EV1501', 'a toleration with half a second', 'placement.tolerations[0]', {
    bad: { placement: { tolerations: [{ key: 'spot', effect: 'NoExecute', tolerationSeconds: 0.5 }] } },
    good: { placement: { tolerations: [{ key: 'spot', effect: 'NoExecute', tolerationSeconds: 30 }] } },
  }),
  props('EV1501', 'a spread over nothing', 'placement.topologySpread[0].topologyKey', {
    bad: { placement: { topologySpread: [{ topologyKey: '' }] } }, good: { placement: { topologySpread: [{ topologyKey: 'example.com/rack' }] } },
  }),
  props('EV1501', 'one spread rule twice', 'placement.topologySpread[1]', {
    bad: { placement: { topologySpread: [{ topologyKey: 'rack' }, { topologyKey: 'rack', maxSkew: 2 }] } },
    good: { placement: { topologySpread: [{ topologyKey: 'rack' }, { topologyKey: 'rack', required: true }] } },
  }),
  props('EV1502', 'two groups of one name', 'memberGroups[1].name', {
    bad: { memberGroups: [{ name: 'spot', instances: 1 }, { name: 'spot', instances: 1 }] },
    good: { memberGroups: [{ name: 'spot', instances: 1 }, { name: 'spare', instances: 1 }] },
  }),
  props('EV1502', 'a group that is called default', 'memberGroups[0].name', {
    bad: { memberGroups: [{ name: 'default', instances: 1 }] }, good: { memberGroups: [{ name: 'normal', instances: 1 }] },
  }),
  props('EV1504', 'a budget that blocks every drain', 'podDisruption', {
    bad: { podDisruption: PodDisruption.maxUnavailable(0) }, good: { podDisruption: PodDisruption.maxUnavailable(2) },
  }),
  props('EV1504', 'a budget for a single member', 'podDisruption', {
    bad: { instances: 1, podDisruption: PodDisruption.maxUnavailable(1) },
    good: { instances: 1, podDisruption: PodDisruption.unprotected() },
  }),
  props('EV1505', 'a range without a mask', 'network.allowFrom[0]', {
    bad: { network: { allowFrom: [NetworkPeer.cidr('10.0.0.0')] } }, good: { network: { allowFrom: [NetworkPeer.cidr('10.0.0.0/8')] } },
  }),
  props('EV1505', 'labels that are none, which would mean every Pod', 'network.allowFrom[0]', {
    bad: { network: { allowFrom: [NetworkPeer.podsWithLabels({})] } },
    good: { network: { allowFrom: [NetworkPeer.ownNamespace()] } },
  }),
  props('EV1505', 'a label with a space', 'network.dns[0]', {
    bad: { network: { dns: [NetworkPeer.podsInNamespace('kube-system', { 'k8s app': 'dns' })] } },
    good: { network: { dns: [NetworkPeer.podsInNamespace('kube-system', { 'k8s-app': 'dns' })] } },
  }),
  props('EV1308', 'a role with a reserved name', 'roles[0].name', {
    bad: withRoles({ name: 'everest_agent' }), good: withRoles({ name: 'reporting' }),
  }),
  props('EV1308', 'a role that stands twice', 'roles[1].name', {
    bad: withRoles({ name: 'bi' }, { name: 'bi' }), good: withRoles({ name: 'bi' }, { name: 'ci' }),
  }),
  props('EV1308', 'a role of its own where a rotation needs the name', 'roles[0].rotation', {
    bad: withRoles({ name: 'app', rotation: PasswordRotation.onRequest() }, { name: 'app_a' }),
    good: withRoles({ name: 'app', rotation: PasswordRotation.onRequest() }, { name: 'ci' }),
  }),
  props('EV1308', 'a name that leaves no room for the logins of a rotation', 'roles[0].rotation', {
    bad: withRoles({ name: 'r'.repeat(62), rotation: PasswordRotation.onRequest() }),
    good: withRoles({ name: 'r'.repeat(61), rotation: PasswordRotation.onRequest() }),
  }),
  props('EV1308', 'an owner that may not log in', 'roles[0].login', {
    bad: withRoles({ name: 'app', login: false }), good: withRoles({ name: 'team', login: false }),
  }),
  props('EV1308', 'a rotation of a role that does not log in', 'roles[0].login', {
    bad: withRoles({ name: 'team', login: false, rotation: PasswordRotation.onRequest() }),
    good: withRoles({ name: 'team', login: true, rotation: PasswordRotation.onRequest() }),
  }),
  props('EV1308', 'a limit of connections that is no number of them', 'roles[0].connectionLimit', {
    bad: withRoles({ name: 'bi', connectionLimit: -2 }), good: withRoles({ name: 'bi', connectionLimit: 0 }),
  }),
  props('EV1308', 'a membership that is as good as a superuser\'s', 'roles[0].inRoles[0]', {
    bad: withRoles({ name: 'bi', inRoles: ['pg_execute_server_program'] }), good: withRoles({ name: 'bi', inRoles: ['pg_monitor'] }),
  }),
  props('EV1308', 'a role that is a member of itself', 'roles[0].inRoles', {
    bad: withRoles({ name: 'bi', inRoles: ['bi'] }, { name: 'ci' }),
    good: withRoles({ name: 'bi', inRoles: ['ci'] }, { name: 'ci' }),
  }),
  props('EV1308', 'a grant on a database that is not there', 'roles[0].grants[0].database', {
    bad: withRoles({ name: 'bi', grants: [{ database: 'ap', access: DatabaseAccess.readOnly() }] }),
    good: withRoles({ name: 'bi', grants: [{ database: 'app', access: DatabaseAccess.readOnly() }] }),
  }),
  props('EV1308', 'a schema of PostgreSQL', 'databases[0].schemas[0].name', {
    bad: withDatabase({ schemas: [{ name: 'pg_stock' }] }), good: withDatabase({ schemas: [{ name: 'stock' }] }),
  }),
  props('EV1308', 'a schema of nobody', 'databases[0].schemas[0].owner', {
    bad: withDatabase({ schemas: [{ name: 'stock', owner: 'ap' }] }), good: withDatabase({ schemas: [{ name: 'stock', owner: 'app' }] }),
  }),
  props('EV1309', 'an extension that the image has not', 'databases[0].extensions[0].name', {
    bad: withDatabase({ extensions: [{ name: 'pg_trigram' }] }), good: withDatabase({ extensions: [{ name: 'pg_trgm' }] }),
  }),
  props('EV1309', 'an extension whose library is not loaded', 'databases[0].extensions[0].name', {
    bad: { ...withDatabase({ extensions: [{ name: 'pg_stat_statements' }] }), parameters: { shared_preload_libraries: 'auto_explain' } },
    good: {
      ...withDatabase({ extensions: [{ name: 'pg_stat_statements' }] }),
      parameters: { shared_preload_libraries: 'auto_explain,pg_stat_statements' },
    },
  }),
  props('EV1309', 'a version with a quote', 'databases[0].extensions[0].version', {
    bad: withDatabase({ extensions: [{ name: 'hstore', version: '1\'' }] }), good: withDatabase({ extensions: [{ name: 'hstore', version: '1.8' }] }),
  }),
  props('EV1309', 'an extension in a schema of PostgreSQL', 'databases[0].extensions[0].schema', {
    bad: withDatabase({ extensions: [{ name: 'hstore', schema: 'pg_ext' }] }), good: withDatabase({ extensions: [{ name: 'hstore', schema: 'ext' }] }),
  }),
  props('EV1310', 'extensions without an agent', 'databases[0].extensions', {
    bad: { databases: [{ name: 'app', extensions: [{ name: 'hstore' }] }] }, good: { databases: [{ name: 'app', extensions: [] }] },
  }),
  props('EV1310', 'availability before data without an agent', 'replication.preferAvailability', {
    bad: { replication: Replication.asynchronous({ preferAvailability: true }) },
    good: { replication: Replication.asynchronous() },
  }),
  props('EV1310', 'roles without an agent', 'roles', { bad: { roles: [{ name: 'bi' }] }, good: { roles: [] } }),
  props('EV1602', 'a rotation every minute', 'roles[0].rotation.interval', {
    bad: withRoles({ name: 'app', rotation: PasswordRotation.every(Duration.minutes(1)) }),
    good: withRoles({ name: 'app', rotation: PasswordRotation.every(Duration.hours(1)) }),
  }),
  props('EV1602', 'an old password that outlives the next rotation', 'roles[0].rotation.oldValidFor', {
    bad: withRoles({ name: 'app', rotation: PasswordRotation.every(Duration.days(1), { oldValidFor: Duration.days(1) }) }),
    good: withRoles({ name: 'app', rotation: PasswordRotation.every(Duration.days(1), { oldValidFor: Duration.hours(1) }) }),
  }),
  props('EV1602', 'an old password that ends before anybody can follow', 'roles[0].rotation.oldValidFor', {
    bad: withRoles({ name: 'app', rotation: PasswordRotation.onRequest({ oldValidFor: Duration.seconds(5) }) }),
    good: withRoles({ name: 'app', rotation: PasswordRotation.onRequest({ oldValidFor: Duration.minutes(10) }) }),
  }),
  props('EV1602', 'a rotation of a password that comes from elsewhere', 'roles[0].rotation', {
    bad: withRoles({ name: 'app', secretName: 'vault', rotation: PasswordRotation.onRequest() }),
    good: withRoles({ name: 'app', secretName: 'vault' }),
  }),
  props('EV1601', 'a store that cannot exist', 'credentials.externalStore.store', {
    bad: { credentials: Credentials.external({ store: 'My Vault' }) }, good: { credentials: Credentials.external({ store: 'vault' }) },
  }),
  props('EV1601', 'a Secret that cannot exist', 'credentials.secretName', {
    bad: { credentials: Credentials.existing('Orders_Secret') }, good: { credentials: Credentials.existing('orders-secret') },
  }),
  props('EV1601', 'a Secret without a name', 'credentials', {
    bad: { credentials: Credentials.existing(undefined as never) }, good: { credentials: Credentials.generated() },
  }),
];

const DOCUMENT = `apiVersion: everest.io/v1alpha1
kind: DatabaseCluster
metadata: { name: orders }
spec:
  engine: postgresql
  storage: { size: 10Gi }
`;

/** An example with a document in YAML, as a change of a right one. */
function yaml(code: string, mistake: string, at: string, change: readonly [from: string, to: string]): RuleExample {
  const text = DOCUMENT.replace(...change);
  return {
    code, mistake, at,
    bad: () => readClusters(text, { file: 'orders.yaml' }).findings,
    good: () => readClusters(DOCUMENT, { file: 'orders.yaml' }).findings,
  };
}

const STORAGE = `---
apiVersion: everest.io/v1alpha1
kind: BackupStorage
metadata: { name: main }
spec: { type: s3, bucket: backups, credentialsSecretName: s3 }
`;

/** A document with a backup, and the storage that it names or does not. */
function storedIn(name: string): () => readonly Finding[] {
  return () => readClusters(`${DOCUMENT.trimEnd()}\n  backup: { storageName: ${name} }\n${STORAGE}`, { file: 'orders.yaml' }).findings;
}

const OPENEVEREST = `apiVersion: everest.percona.com/v1alpha1
kind: DatabaseCluster
metadata: { name: orders }
spec:
  engine: { type: postgresql, replicas: 3, storage: { size: 10Gi } }
`;

/** The same for a document of OpenEverest. */
function openEverest(code: string, mistake: string, at: string,
  change: readonly [from: string, to: string]): RuleExample {
  return {
    code, mistake, at,
    bad: () => readClusters(OPENEVEREST.replace(...change), { file: 'orders.yaml' }).findings,
    good: () => readClusters(OPENEVEREST, { file: 'orders.yaml' }).findings,
  };
}

const DOCUMENTS = [
  openEverest('EV1009', 'a version of an operator that is not there', 'spec.engine.crVersion', ['replicas: 3', 'replicas: 3, crVersion: 2.7.0']),
  openEverest('EV1009', 'a kind that is an order', 'kind', ['kind: DatabaseCluster', 'kind: DatabaseClusterRestore']),
  openEverest('EV1009', 'MongoDB', 'spec.engine.type', ['type: postgresql', 'type: psmdb']),
  openEverest('EV1010', 'a volume below the smallest of OpenEverest', 'spec.engine.storage.size', ['10Gi', '900Mi']),
  openEverest('EV1010', 'a line of config that is no setting', 'spec.engine.config', ['replicas: 3', 'replicas: 3, config: "max_connections"']),
  { code: 'EV1807', mistake: 'a storage that is not described', at: 'spec.backup.storageName', bad: storedIn('man'), good: storedIn('main') },
  yaml('EV1004', 'an engine that does not exist', 'spec.engine', ['engine: postgresql', 'engine: postgres']),
  yaml('EV1005', 'text that is not YAML', '', ['kind: DatabaseCluster', 'kind: @DatabaseCluster']),
  yaml('EV1005', 'a key twice', '', ['  engine: postgresql', '  engine: postgresql\n  engine: postgresql']),
  yaml('EV1006', 'an apiVersion that nobody knows', 'apiVersion', ['v1alpha1', 'v1beta7']),
  yaml('EV1007', 'a part of a later version', 'spec.monitoring', ['  engine: postgresql', '  engine: postgresql\n  monitoring: { pmm: {} }']),
];

/** The second synthesis of a cluster, with other props than the first. */
function changed(code: string, mistake: string, before: Partial<PostgresClusterProps>,
  after: Partial<PostgresClusterProps>): RuleExample {
  const manifests = (given: Partial<PostgresClusterProps>) => synth(given) as unknown as Manifest[];
  return {
    code, mistake, at: '',
    bad: () => checkChanges(manifests(before), manifests(after)),
    good: () => checkChanges(manifests(after), manifests(before)),
  };
}

function ofClass(storageClassName: string): Partial<PostgresClusterProps> {
  return { instances: 1, storage: { size: '1Gi', storageClassName } };
}

function twoClusters(first: string, second: string): readonly Finding[] {
  const chart = testChart();
  const make = (id: string, clusterName: string) => new PostgresCluster(chart, id, someProps({ clusterName }));
  make('first', first);
  if (first !== second) {
    make('second', second);
    return [];
  }
  return everestErrorOf(() => make('second', second)).findings;
}

function pooler(options: PoolerOptions): () => readonly Finding[] {
  return () => findingsOfCall(() => aCluster().addPooler(options));
}

function agent(given: EverestAgentProps): () => readonly Finding[] {
  return () => findingsOfCall(() => new EverestAgent(testChart(), 'agent', given));
}

const RULE = { code: 'EV1101', title: '', cause: '', consequence: '', fix: '' };

function ruleThatThrows(): readonly Finding[] {
  return runRules([{ ...RULE, check: () => { throw new Error('no such thing'); } }], {});
}

const storage = BackupStorage.s3({ bucket: 'backups', access: StorageAccess.secret('s3') });
const fromSnapshot = {
  bootstrap: Bootstrap.recover({ from: RecoverySource.storage(storage, { clusterName: 'billing' }), snapshot: 'billing-volume-1' }),
};

const OTHERS: RuleExample[] = [
  {
    code: 'EV1008', mistake: 'a command without a file', at: '',
    bad: () => synthCommand({ files: [], set: [] }).findings,
    good: () => synthCommand({ files: [], set: [] }).findings.slice(1),
  },
  {
    code: 'EV1103', mistake: 'two clusters of one name', at: '',
    bad: () => twoClusters('orders', 'orders'), good: () => twoClusters('orders', 'billing'),
  },
  {
    code: 'EV1506', mistake: 'a pooler that asks for more connections than there are', at: 'poolSize',
    bad: pooler({ poolSize: 40, instances: 2 }), good: pooler({ poolSize: 30, instances: 2 }),
  },
  {
    code: 'EV1506', mistake: 'a pooler without Pods', at: 'instances', bad: pooler({ instances: 0 }), good: pooler({ instances: 1 }),
  },
  {
    code: 'EV1507', mistake: 'an agent with a name in upper case', at: 'agentName',
    bad: agent({ agentName: 'Agent' }), good: agent({ agentName: 'agent' }),
  },
  changed('EV1701', 'a volume that shrinks', { instances: 1, storage: { size: '20Gi' } }, { instances: 1, storage: { size: '10Gi' } }),
  {
    ...changed('EV1702', 'another StorageClass', ofClass('fast'), ofClass('slow')),
    good: changed('EV1702', 'the same StorageClass', ofClass('fast'), ofClass('fast')).bad,
  },
  {
    ...changed('EV1704', 'a snapshot that a living volume was not made of', {}, fromSnapshot),
    good: changed('EV1704', 'the snapshot that it was made of', fromSnapshot, fromSnapshot).bad,
  },
  {
    ...changed('EV1703', 'another major version', { version: '14' }, { version: '17' }),
    good: changed('EV1703', 'the same major version', { version: '17' }, { version: '17.11' }).bad,
  },
  { code: 'EV1999', mistake: 'a fault of ours', at: '', bad: ruleThatThrows, good: () => runRules([{ ...RULE, check: () => [] }], {}) },
];

/** All examples, by code. */
export const RULE_EXAMPLES: readonly RuleExample[] = [
  ...SHAPE, ...NAMES, ...METADATA, ...MEMBERS, ...SETTINGS, ...IMAGES, ...SURROUNDINGS,
  ...DOCUMENTS, ...BACKUP_EXAMPLES, ...OTHERS, ...GALERA_EXAMPLES,
].sort((a, b) => a.code.localeCompare(b.code, 'en'));
