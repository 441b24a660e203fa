import { Duration } from 'cdk8s';
import { aCluster, someProps, testChart } from './cluster';
import { findingsOfCall, props, type Loose, type RuleExample } from './rule-example';
import {
  BackupRetention, BackupStorage, BackupType, Bootstrap, PostgresCluster, RecoverySource, RecoveryTarget, Standby,
  StorageAccess, type PostgresClusterProps, type RecoveryOptions, type S3StorageOptions, type StandbyOptions,
} from '../../src';
import type { Finding } from '../../src/errors';

/* At least one bad and one good input for every code about backups, recovery, drills and standby clusters. */

function s3(options: Partial<S3StorageOptions> = {}): BackupStorage {
  return BackupStorage.s3({ bucket: 'backups', access: StorageAccess.secret('s3'), ...options });
}

/** Backups with something about the repository, and beside it. */
function backup(options: object = {}, storage: Partial<S3StorageOptions> = {}): Loose {
  return { backup: { storage: s3(storage), ...options } };
}

/** A cluster `orders` with backups that begins with those of another one. */
function recovery(code: string, mistake: string, at: string,
  { bad, good }: { bad: Partial<RecoveryOptions>; good: Partial<RecoveryOptions> }): RuleExample {
  const recovered = (options: Partial<RecoveryOptions>) => ({
    ...backup(), bootstrap: Bootstrap.recover({ from: RecoverySource.storage(s3(), { clusterName: 'billing' }), ...options }),
  });
  return props(code, mistake, at, { bad: recovered(bad), good: recovered(good) });
}

function schedules(...changes: object[]): Loose {
  return backup({ schedules: changes.map((change) => ({ name: 'nightly', cron: '0 2 * * *', ...change })) });
}

function twoBackups(prefix: string): readonly Finding[] {
  return findingsOfCall(() => {
    const chart = testChart();
    const secondary = { storage: s3(prefix === '' ? {} : { prefix }) };
    new PostgresCluster(chart, 'first', someProps({ clusterName: 'a', backup: { storage: s3(), secondary } }));
  });
}

function addSchedule(given: Partial<PostgresClusterProps>): () => readonly Finding[] {
  return () => findingsOfCall(() => aCluster(given).addBackupSchedule({ name: 'nightly', cron: '0 2 * * *' }));
}

const TWO = { storage: s3(), secondary: { storage: s3({ prefix: 'copies' }) } };
const SNAPSHOTS = { name: 'nightly', cron: '0 2 * * *', type: BackupType.volumeSnapshot() };

const BACKUPS: readonly RuleExample[] = [
  props('EV1301', 'archive_timeout beside the backup\'s own', 'parameters.archive_timeout', {
    bad: { ...backup(), parameters: { archive_timeout: '30s' } }, good: backup({ archiveTimeout: Duration.seconds(30) }),
  }),
  props('EV1801', 'a schedule of six fields', 'backup.schedules[0].cron', { bad: schedules({ cron: '0 0 2 * * *' }), good: schedules({ cron: '0 2 * * *' }) }),
  props('EV1801', 'the 30th of February', 'backup.schedules[0].cron', { bad: schedules({ cron: '0 2 30 2 *' }), good: schedules({ cron: '0 2 29 2 *' }) }),
  props('EV1801', 'a time zone in the schedule', 'backup.schedules[0].cron', { bad: schedules({ cron: 'TZ=UTC 0 2 * * *' }), good: schedules({ cron: '@daily' }) }),
  props('EV1802', 'a time zone that does not exist', 'backup.schedules[0].timeZone', {
    bad: schedules({ timeZone: 'Europe/Berlyn' }), good: schedules({ timeZone: 'Europe/Berlin' }),
  }),
  props('EV1802', 'a time zone in lower case', 'backup.schedules[0].timeZone', {
    bad: schedules({ timeZone: 'europe/berlin' }), good: schedules({ timeZone: 'UTC' }),
  }),
  props('EV1803', 'a retention that keeps nothing', 'backup.retention', {
    bad: backup({ retention: BackupRetention.fullBackups(0) }),
    good: backup({ retention: BackupRetention.fullBackups(1) }),
  }),
  props('EV1803', 'an archive_timeout of a second', 'backup.archiveTimeout', {
    bad: backup({ archiveTimeout: Duration.seconds(1) }), good: backup({ archiveTimeout: Duration.seconds(10) }),
  }),
  props('EV1804', 'an endpoint with its scheme', 'backup.storage.endpoint', {
    bad: backup({}, { endpoint: 'https://minio:9000' }), good: backup({}, { endpoint: 'minio:9000' }),
  }),
  props('EV1804', 'a bucket in capital letters', 'backup.storage.bucket', { bad: backup({}, { bucket: 'Backups' }), good: backup() }),
  props('EV1804', 'an identity that the image is too old for', 'backup.storage', {
    bad: backup({}, { access: StorageAccess.podIdentity() }), good: backup({}, { access: StorageAccess.webIdentity('arn:aws:iam::123456789012:role/backups') }),
  }),
  {
    code: 'EV1805', mistake: 'both repositories at one place', at: 'backup.secondary.storage', bad: () => twoBackups(''), good: () => twoBackups('copies'),
  },
  {
    code: 'EV1806', mistake: 'a schedule without a storage', at: '', bad: addSchedule({}), good: addSchedule({ backup: { storage: s3() } }),
  },
  props('EV1806', 'two schedules of one name', 'backup.schedules[1].name', { bad: schedules({}, {}), good: schedules({}, { name: 'weekly' }) }),
  props('EV1806', 'a name that is taken', 'backup.schedules[0].name', { bad: schedules({ name: 'on-demand' }), good: schedules({ name: 'daily' }) }),
  props('EV1806', 'a second repository that is not there', 'backup.schedules[0].toSecondary', {
    bad: schedules({ toSecondary: true }),
    good: backup({ secondary: { storage: s3({ prefix: 'copies' }) }, schedules: [{ name: 'nightly', cron: '0 2 * * *', toSecondary: true }] }),
  }),
  props('EV1806', 'snapshots of a volume in the second repository', 'backup.schedules[0].toSecondary', {
    bad: { backup: { ...TWO, schedules: [{ ...SNAPSHOTS, toSecondary: true }] } },
    good: { backup: { ...TWO, schedules: [SNAPSHOTS] } },
  }),
  props('EV1806', 'snapshots of which none stays', 'backup.schedules[0].type.keep', {
    bad: schedules({ type: BackupType.volumeSnapshot({ keep: 0 }) }),
    good: schedules({ type: BackupType.volumeSnapshot({ keep: 1 }) }),
  }),
  props('EV1806', 'a class of snapshots whose name cannot be', 'backup.schedules[0].type.className', {
    bad: schedules({ type: BackupType.volumeSnapshot({ className: 'Fast One' }) }),
    good: schedules({ type: BackupType.volumeSnapshot({ className: 'fast-one' }) }),
  }),
  props('EV1808', 'a confirmation that names no cluster', 'bootstrap.superseding', {
    bad: { ...backup(), bootstrap: Bootstrap.fresh('yes') }, good: { ...backup(), bootstrap: Bootstrap.fresh('7711512426718272580') },
  }),
  recovery('EV1809', 'a time without a zone', 'bootstrap.recovery.target', {
    bad: { target: RecoveryTarget.time('2026-03-01T12:00:00') }, good: { target: RecoveryTarget.time('2026-03-01T12:00:00+01:00') },
  }),
  recovery('EV1809', 'a day that does not exist', 'bootstrap.recovery.target', {
    bad: { target: RecoveryTarget.time('2026-02-30T12:00:00Z') }, good: { target: RecoveryTarget.time('2026-02-28T12:00:00.25Z') },
  }),
  recovery('EV1809', 'a place in the log that is none', 'bootstrap.recovery.target', {
    bad: { target: RecoveryTarget.lsn('5000060') }, good: { target: RecoveryTarget.lsn('0/5000060') },
  }),
  recovery('EV1809', 'a hint that is behind the target', 'bootstrap.recovery.target', {
    bad: { target: RecoveryTarget.time('2026-03-01T12:00:00Z', { after: '2026-03-01T13:00:00Z' }) },
    good: { target: RecoveryTarget.transaction('745', { after: '2026-03-01T13:00:00Z' }) },
  }),
  recovery('EV1810', 'a copy that would archive to where it is recovered from', 'bootstrap.recovery.from', {
    bad: { from: RecoverySource.storage(s3(), { clusterName: 'orders' }) }, good: { from: RecoverySource.storage(s3({ prefix: 'old' }), { clusterName: 'orders' }) },
  }),
  recovery('EV1810', 'a source whose name cannot be', 'bootstrap.recovery.from', {
    bad: { from: RecoverySource.storage(s3(), { clusterName: 'Old Orders' }) }, good: { from: RecoverySource.storage(s3(), { clusterName: 'old-orders' }) },
  }),
  recovery('EV1812', 'a snapshot whose name cannot be', 'bootstrap.recovery.snapshot', {
    bad: { snapshot: 'Billing nightly' }, good: { snapshot: 'billing-nightly-20260301t020000z' },
  }),
  recovery('EV1812', 'a snapshot beside a restore in place', 'bootstrap.recovery.snapshot', {
    bad: { snapshot: 'billing-nightly-20260301t020000z', replacing: 'restore-1' }, good: { replacing: 'restore-1' },
  }),
  recovery('EV1812', 'a snapshot of another namespace', 'bootstrap.recovery.snapshot', {
    bad: { snapshot: 'billing-nightly-20260301t020000z', from: RecoverySource.storage(s3(), { clusterName: 'billing', namespace: 'other' }) },
    good: { from: RecoverySource.storage(s3(), { clusterName: 'billing', namespace: 'other' }) },
  }),
];

function drill(change: object): Loose {
  return backup({ drills: [{ cron: '0 4 * * 0', ...change }] });
}

function addDrill(given: Partial<PostgresClusterProps>): () => readonly Finding[] {
  return () => findingsOfCall(() => aCluster(given).addRestoreDrill({ cron: '0 4 * * 0' }));
}

function check(change: object): Loose {
  return drill({ checks: [{ name: 'rows', sql: 'SELECT count(*) > 0 FROM orders', ...change }] });
}

const DRILLS: readonly RuleExample[] = [
  props('EV1801', 'a drill at an hour that does not exist', 'backup.drills[0].cron', { bad: drill({ cron: '0 24 * * *' }), good: drill({ cron: '0 23 * * *' }) }),
  props('EV1802', 'a drill in a zone that does not exist', 'backup.drills[0].timeZone', { bad: drill({ timeZone: 'Mars/Olympus' }), good: drill({ timeZone: 'Europe/Paris' }) }),
  { code: 'EV1821', mistake: 'a drill without a storage', at: '', bad: addDrill({}), good: addDrill({ backup: { storage: s3() } }) },
  props('EV1821', 'a drill of a storage that only a Secret describes', 'backup.drills[0]', {
    bad: { backup: { storage: BackupStorage.fromSecret('s3'), drills: [{ cron: '0 3 * * *' }] } }, good: drill({}),
  }),
  props('EV1804', 'a storage in a Secret whose name cannot be one', 'backup.storage.secretName', {
    bad: { backup: { storage: BackupStorage.fromSecret('S3 Backups') } }, good: { backup: { storage: BackupStorage.fromSecret('s3-backups') } },
  }),
  props('EV1821', 'two drills without a name', 'backup.drills[1].name', {
    bad: backup({ drills: [{ cron: '0 4 * * 0' }, { cron: '0 5 * * 0' }] }), good: backup({ drills: [{ cron: '0 4 * * 0' }, { cron: '0 5 * * 0', name: 'any' }] }),
  }),
  props('EV1821', 'a volume of a drill without a unit that exists', 'backup.drills[0].storageSize', { bad: drill({ storageSize: '10 gigs' }), good: drill({ storageSize: '10Gi' }) }),
  props('EV1821', 'a drill with an identity instead of keys', 'backup.drills[0].access', { bad: drill({ access: StorageAccess.podIdentity() }), good: drill({ access: StorageAccess.secret('readers') }) }),
  props('EV1821', 'a drill from a repository that is not there', 'backup.drills[0].fromSecondary', { bad: drill({ fromSecondary: true }), good: drill({}) }),
  props('EV1822', 'a check whose SQL is a comment', 'backup.drills[0].checks[0].sql', { bad: check({ sql: '-- count the rows;' }), good: check({}) }),
  props('EV1822', 'two checks of one name', 'backup.drills[0].checks[1].name', {
    bad: drill({ checks: [{ name: 'rows', sql: 'SELECT true' }, { name: 'rows', sql: 'SELECT true' }] }),
    good: drill({ checks: [{ name: 'rows', sql: 'SELECT true' }, { name: 'fresh', sql: 'SELECT true' }] }),
  }),
  recovery('EV1809', 'a pause with nothing to stop at', 'bootstrap.recovery.pauseAtTarget', {
    bad: { pauseAtTarget: true }, good: { pauseAtTarget: true, target: RecoveryTarget.time('2026-03-01T12:00:00Z') },
  }),
  recovery('EV1811', 'a restore in place whose name is no folder', 'bootstrap.recovery.replacing', {
    bad: { replacing: '../../etc' }, good: { replacing: 'restore-1' },
  }),
  props('EV1811', 'a restore in place beside a volume for the log', 'bootstrap', {
    bad: { storage: { size: '10Gi', walSize: '5Gi' }, bootstrap: Bootstrap.putBack('restore-1') }, good: { bootstrap: Bootstrap.putBack('restore-1') },
  }),
];

function standby(options: StandbyOptions, storage: Partial<S3StorageOptions> = {}): Loose {
  return { ...backup({}, storage), standby: Standby.of(options) };
}

function followed(clusterName = 'orders'): RecoverySource {
  return RecoverySource.storage(s3(), { clusterName });
}

const STANDBYS: readonly RuleExample[] = [
  props('EV1831', 'a standby of nothing', 'standby.options', { bad: standby({}), good: standby({ host: 'db.example.com' }) }),
  props('EV1831', 'a standby that would archive into what it follows', 'standby.options.from', {
    bad: standby({ from: followed() }), good: standby({ from: followed() }, { prefix: 'second-region' }),
  }),
  props('EV1831', 'a host with its port', 'standby.options.host', { bad: standby({ host: 'db.example.com:5432' }), good: standby({ host: 'db.example.com', port: 5432 }) }),
  props('EV1831', 'a standby that begins elsewhere', 'bootstrap', {
    bad: { ...standby({ host: 'db.example.com' }), bootstrap: Bootstrap.fresh('7711512426718272580') }, good: standby({ host: 'db.example.com' }),
  }),
];

export const BACKUP_EXAMPLES: readonly RuleExample[] = [...BACKUPS, ...DRILLS, ...STANDBYS];
