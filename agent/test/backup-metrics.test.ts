import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setBackupMetrics } from '../src/backup-metrics.js';
import { Metrics } from '../src/metrics.js';
import type { ArchiveStatus, BackupStatus } from '../src/model/backup-status.js';

const T = (seconds: number) => new Date(seconds * 1000).toISOString();
const ARCHIVE: ArchiveStatus = {
  state: 'archiving', since: T(1), checkedAt: T(2), firstArchivedAt: T(1), lastArchivedAt: T(900), archivedUpTo: T(890),
  waitingBytes: 5, waitingFiles: 1,
};
const record = (label: string, good: boolean, end: number) => ({
  label, type: 'full' as const, good, startedAt: T(end - 10), endedAt: T(end), sizeBytes: 100, storedBytes: 10, buildsOn: [],
});
const BACKUP: BackupStatus = {
  statusVersion: 1, updatedAt: T(1),
  schedules: { nightly: { type: 'full', repository: 1, startedAt: T(1), endedAt: T(2), done: false } },
  repositories: {
    1: {
      checkedAt: T(1), window: { startsAt: T(100), endsAt: T(800), oldestBackup: 'A', newestBackup: 'B' },
      backups: [record('C', false, 850), record('B', true, 800), record('A', true, 100)],
    },
  },
};

function rendered(archive?: ArchiveStatus, backup?: BackupStatus, metrics = new Metrics()): string[] {
  setBackupMetrics(metrics, 'orders', { archive, backup });
  return metrics.render().split('\n').filter((line) => line.includes('cluster="orders"'));
}

test('series tell of the newest good backup, of the window, and of the archive', () => {
  assert.deepEqual(rendered(ARCHIVE, BACKUP), [
    'everest_archive_clock_offset_seconds{cluster="orders"} 0',
    'everest_archive_lost{cluster="orders"} 0',
    'everest_archive_working{cluster="orders"} 1',
    'everest_archive_last_timestamp_seconds{cluster="orders"} 900',
    'everest_archive_waiting_bytes{cluster="orders"} 5',
    'everest_archive_waiting_files{cluster="orders"} 1',
    'everest_archive_writes_stopped{cluster="orders"} 0',
    'everest_backup_last_timestamp_seconds{cluster="orders",repository="1"} 800',
    'everest_backup_last_size_bytes{cluster="orders",repository="1"} 100',
    'everest_backup_last_stored_bytes{cluster="orders",repository="1"} 10',
    'everest_backup_done{cluster="orders",schedule="nightly"} 0',
    'everest_recovery_window_start_timestamp_seconds{cluster="orders",repository="1"} 100',
    'everest_recovery_window_end_timestamp_seconds{cluster="orders",repository="1"} 890',
  ]);
});

test('the moment of the newest snapshot that can be recovered from is told by schedule', () => {
  const told = (name: string, end: number, good: boolean) => ({ name, endedAt: T(end), stopLsn: '0/1', member: 'orders-2-0', good });
  const snapshots = { volume: [told('s3', 900, false), told('s2', 700, true), told('s1', 100, true)] };
  const line = 'everest_snapshot_last_timestamp_seconds{cluster="orders",schedule="volume"} 700';
  assert.ok(rendered(undefined, { ...BACKUP, snapshots }).includes(line));
});

test('what is no longer known leaves no series behind, because an alert would sleep on it', () => {
  const metrics = new Metrics();
  rendered(ARCHIVE, BACKUP, metrics);
  assert.deepEqual(rendered(undefined, undefined, metrics), []);
});

test('an archive that fails is 0, one that is unknown is absent', () => {
  const failure = { kind: 'unreachable', problem: '', fix: '', detail: '' };
  const lost = { repository: 1, storage: 's3://x', at: '2026-01-01T00:00:00Z', backups: 1 };
  const gone = rendered({ ...ARCHIVE, lost, failure: { kind: 'archive-lost', problem: '', fix: '', detail: '' } }, undefined);
  assert.ok(gone.includes('everest_archive_lost{cluster="orders"} 1') && gone.includes('everest_archive_working{cluster="orders"} 1'));
  assert.ok(rendered({ ...ARCHIVE, state: 'failing', failure }, undefined).includes('everest_archive_working{cluster="orders"} 0'));
  const { waitingBytes: _, waitingFiles: __, ...rest } = ARCHIVE;
  assert.deepEqual(rendered({ ...rest, state: 'unknown' }, undefined), ['everest_archive_last_timestamp_seconds{cluster="orders"} 900']);
});

test('a drill that failed keeps the time of the last good one and loses its figures, because they would look like news', () => {
  const metrics = new Metrics();
  const result = { startedAt: T(1), endedAt: T(90), repository: 1, target: 'newest' as const, checks: {}, rpoSeconds: 12, rtoSeconds: 30, lastGoodAt: T(80) };
  const lines = (done: boolean) => {
    setBackupMetrics(metrics, 'orders', { drill: { statusVersion: 1, updatedAt: T(90), drills: { any: { ...result, done } } } });
    return metrics.render().split('\n').filter((line) => line.includes('drill="any"'));
  };
  assert.deepEqual(lines(true), [
    'everest_drill_done{cluster="orders",drill="any"} 1', 'everest_drill_last_timestamp_seconds{cluster="orders",drill="any"} 80',
    'everest_drill_rpo_seconds{cluster="orders",drill="any"} 12', 'everest_drill_rto_seconds{cluster="orders",drill="any"} 30',
  ]);
  assert.deepEqual(lines(false), [
    'everest_drill_done{cluster="orders",drill="any"} 0', 'everest_drill_last_timestamp_seconds{cluster="orders",drill="any"} 80',
  ]);
});
