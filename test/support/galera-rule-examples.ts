import { Duration } from 'cdk8s';
import type { RuleExample } from './rule-example';
import { BackupStorage, Bootstrap, Credentials, DatabaseAccess, PasswordRotation, RecoverySource, RecoveryTarget, StorageAccess } from '../../src';
import { checkGalera } from '../../src/check-galera';
import type { GaleraInput } from '../../src/resolve/galera';

/* At least one bad and one good input for every code about MariaDbCluster and PxcCluster. */

type Loose = Readonly<Record<string, unknown>>;

function example(engine: GaleraInput['engine'], [code, mistake, at]: [string, string, string], bad: Loose, good: Loose): RuleExample {
  const check = (given: Loose) => () => checkGalera('orders', 'shop', { engine, props: { storage: { size: '10Gi' }, ...given } } as GaleraInput);
  return { code, mistake, at, bad: check(bad), good: check(good) };
}

function mariadb(about: [string, string, string], bad: Loose, good: Loose): RuleExample {
  return example('mariadb', about, bad, good);
}

function pxc(about: [string, string, string], bad: Loose, good: Loose): RuleExample {
  return example('percona-xtradb-cluster', about, bad, good);
}

const parameter = (name: string, value: string): Loose => ({ parameters: { [name]: value } });

const BACKUP = { storage: BackupStorage.s3({ bucket: 'backups', access: StorageAccess.secret('s3') }) };

const recovered = (target: RecoveryTarget) => Bootstrap.recover({
  from: RecoverySource.storage(BACKUP.storage, { clusterName: 'invoices' }), target,
});

const NEXT = BackupStorage.s3({ bucket: 'backups', prefix: 'restore-1', access: StorageAccess.secret('s3') });
const inPlace = (replacing: string, clusterName = 'orders') => Bootstrap.recover({
  from: RecoverySource.storage(BACKUP.storage, { clusterName }), replacing,
});

export const GALERA_EXAMPLES: readonly RuleExample[] = [
  mariadb(['EV2001', 'two members without a third voter', 'instances'], { instances: 2 }, { instances: 2, arbitrator: true }),
  mariadb(['EV2001', 'an even number of members', 'instances'], { instances: 4 }, { instances: 5 }),
  mariadb(['EV2001', 'an arbitrator that makes the number even', 'arbitrator'], { arbitrator: true }, { arbitrator: false }),
  mariadb(['EV2002', 'a volume that is too small', 'storage.size'], { storage: { size: '512Mi' } }, { storage: { size: '1Gi' } }),
  mariadb(['EV2003', 'a proxy without Pods', 'proxy.instances'], { proxy: { instances: 0 } }, { proxy: { instances: 2 } }),
  mariadb(['EV2003', 'a maintenance window of a week', 'maintenanceWindow'],
    { maintenanceWindow: Duration.days(7) }, { maintenanceWindow: Duration.hours(2) }),
  mariadb(['EV2101', 'a format of the binary log that lets members differ', 'parameters.binlog_format'],
    parameter('binlog_format', 'STATEMENT'), parameter('binlog_row_image', 'FULL')),
  mariadb(['EV2101', 'another lock mode of auto-increment', 'parameters.innodb_autoinc_lock_mode'],
    parameter('innodb_autoinc_lock_mode', '1'), parameter('innodb_flush_neighbors', '0')),
  mariadb(['EV2101', 'the options of the Galera library as a whole', 'parameters.wsrep_provider_options'],
    parameter('wsrep_provider_options', 'gcache.size=1G'), parameter('wsrep_slave_threads', '8')),
  pxc(['EV2101', 'MyISAM under strict mode', 'parameters.default_storage_engine'],
    parameter('default_storage_engine', 'MyISAM'), parameter('pxc_strict_mode', 'PERMISSIVE')),
  mariadb(['EV2102', 'a misspelled setting', 'parameters.max_conections'], parameter('max_conections', '100'), parameter('max_connections', '100')),
  pxc(['EV2102', 'a setting with "-"', 'parameters.max-connections'], parameter('max-connections', '100'), parameter('max_connections', '100')),
  mariadb(['EV2103', 'connections that are no number', 'parameters.max_connections'], parameter('max_connections', 'many'), parameter('max_connections', '80')),
  mariadb(['EV2104', 'a buffer pool above the memory limit', 'parameters'],
    parameter('innodb_buffer_pool_size', '2G'), { ...parameter('innodb_buffer_pool_size', '2G'), resources: { limits: { memory: '4Gi' } } }),
  mariadb(['EV2201', 'a series that is not supported', 'version'], { version: '10.5' }, { version: '10.11' }),
  pxc(['EV2201', 'an exact version without its image', 'version'],
    { version: '8.0.36-28.1' }, { version: '8.0.36-28.1', image: 'percona/percona-xtradb-cluster:8.0.36-28.1' }),
  mariadb(['EV2202', 'a tag that moves', 'proxy.image'], { proxy: { image: 'haproxy:latest' } }, { proxy: { image: 'haproxy:3.0.11' } }),
  mariadb(['EV2203', 'a database of the server itself', 'databases[0].name'],
    { databases: [{ name: 'mysql', owner: 'app' }] }, { databases: [{ name: 'app' }] }),
  mariadb(['EV2204', 'a Secret with a name that none can have', 'tlsSecretName'], { tlsSecretName: 'My Secret' }, { tlsSecretName: 'my-secret' }),
  mariadb(['EV2204', 'passwords from External Secrets', 'credentials'],
    { credentials: Credentials.external({ store: 'vault' }) }, { credentials: Credentials.existing('passwords') }),
  mariadb(['EV2205', 'a user of the cluster itself', 'roles[0].name'], { roles: [{ name: 'everest_agent' }] }, { roles: [{ name: 'reporting' }] }),
  pxc(['EV2205', 'a user with a name that is too long', 'roles[0].name'], { roles: [{ name: 'r'.repeat(33) }] }, { roles: [{ name: 'r'.repeat(32) }] }),
  mariadb(['EV2205', 'rights on a database that is not declared', 'roles[0].grants[0].database'],
    { roles: [{ name: 'reporting', grants: [{ database: 'shop', access: DatabaseAccess.readOnly() }] }] },
    { roles: [{ name: 'reporting', grants: [{ database: 'app', access: DatabaseAccess.readOnly() }] }] }),
  mariadb(['EV2205', 'a limit that is no number of connections', 'roles[0].connectionLimit'],
    { roles: [{ name: 'reporting', connectionLimit: -1 }] }, { roles: [{ name: 'reporting', connectionLimit: 0 }] }),
  mariadb(['EV2205', 'a rotation that needs a name that is taken', 'roles[0].rotation'],
    { roles: [{ name: 'app', rotation: PasswordRotation.onRequest() }, { name: 'app_a' }] }, { roles: [{ name: 'app', rotation: PasswordRotation.onRequest() }] }),
  mariadb(['EV2205', 'a rotation that comes every minute', 'roles[0].rotation.interval'],
    { roles: [{ name: 'app', rotation: PasswordRotation.every(Duration.minutes(1)) }] }, { roles: [{ name: 'app', rotation: PasswordRotation.every(Duration.hours(1)) }] }),
  mariadb(['EV2205', 'a rotation of a password that comes from elsewhere', 'roles[0].rotation'],
    { roles: [{ name: 'app', secretName: 'mine', rotation: PasswordRotation.onRequest() }] }, { roles: [{ name: 'app', secretName: 'mine' }] }),
  mariadb(['EV2302', 'a place in PostgreSQL\'s log', 'bootstrap.recovery.target'],
    { bootstrap: recovered(RecoveryTarget.lsn('0/5000060')) }, { bootstrap: recovered(RecoveryTarget.transaction('1-1-4711', { exclusive: true })) }),
  mariadb(['EV2302', 'the archive that the cluster itself writes to', 'bootstrap.recovery.from'],
    { backup: BACKUP, bootstrap: Bootstrap.recover({ from: RecoverySource.storage(BACKUP.storage, { clusterName: 'orders' }) }) },
    { backup: BACKUP, bootstrap: recovered(RecoveryTarget.latest({ skipTransactions: ['1-1-4711'] })) }),
  mariadb(['EV2302', 'a restore in place whose name is no folder', 'bootstrap.recovery.replacing'],
    { backup: { storage: NEXT }, bootstrap: inPlace('Restore 1') }, { backup: { storage: NEXT }, bootstrap: inPlace('restore-1') }),
  mariadb(['EV2302', 'a restore of another cluster in place', 'bootstrap.recovery.from'],
    { bootstrap: inPlace('restore-1', 'invoices') }, { bootstrap: Bootstrap.putBack('restore-1') }),
  mariadb(['EV2301', 'a second repository', 'backup.secondary'], { backup: { ...BACKUP, secondary: BACKUP } }, { backup: BACKUP }),
];
