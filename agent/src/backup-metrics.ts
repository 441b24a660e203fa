/** The documents about backups in the status as series: every replica reads them from its watch. */
import { ARCHIVE_LOST } from './decide/archive-loss.js';
import type { Metrics } from './metrics.js';
import type { ArchiveStatus, BackupStatus, RepositoryStatus } from './model/backup-status.js';
import type { DrillResult, DrillStatus } from './model/drill-status.js';

const seconds = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text) / 1000);

type Labels = Readonly<Record<string, string>>;

class Series {
  constructor(private readonly metrics: Metrics, private readonly labels: Labels) {}

  set(name: string, value: number | undefined): void {
    if (value !== undefined && !Number.isNaN(value)) this.metrics.set(name, this.labels, value);
  }
}

/** After a failover the new primary may have had nothing to send yet. */
function isWorking({ state, firstArchivedAt, failure }: ArchiveStatus): boolean {
  const fails = failure !== undefined && failure.kind !== ARCHIVE_LOST;
  return !fails && firstArchivedAt !== undefined && state !== 'failing';
}

function archiveSeries(series: Series, archive: ArchiveStatus): void {
  if (archive.state !== 'unknown') series.set('everest_archive_working', Number(isWorking(archive)));
  if (archive.state !== 'unknown') series.set('everest_archive_clock_offset_seconds', archive.clock?.offsetSeconds ?? 0);
  if (archive.state !== 'unknown' || archive.lost) series.set('everest_archive_lost', Number(archive.lost !== undefined));
  if (archive.state !== 'unknown' || archive.writesStopped) series.set('everest_archive_writes_stopped', Number(archive.writesStopped !== undefined));
  series.set('everest_archive_last_timestamp_seconds', seconds(archive.lastArchivedAt));
  series.set('everest_archive_waiting_bytes', archive.waitingBytes);
  series.set('everest_archive_waiting_files', archive.waitingFiles);
  series.set('everest_archive_volume_full_timestamp_seconds', seconds(archive.fullAt));
}

/** What was archived after the newest backup can be reached too. */
function windowEnd({ window }: RepositoryStatus, archive: ArchiveStatus | undefined): number | undefined {
  if (!window) return undefined;
  return Math.max(seconds(window.endsAt)!, seconds(archive?.archivedUpTo) ?? 0);
}

function repositorySeries(series: Series, repository: RepositoryStatus, archive: ArchiveStatus | undefined): void {
  const newest = repository.backups.find(({ good }) => good);
  series.set('everest_backup_last_timestamp_seconds', seconds(newest?.endedAt));
  series.set('everest_backup_last_size_bytes', newest?.sizeBytes);
  series.set('everest_backup_last_stored_bytes', newest?.storedBytes);
  series.set('everest_recovery_window_start_timestamp_seconds', seconds(repository.window?.startsAt));
  series.set('everest_recovery_window_end_timestamp_seconds', windowEnd(repository, archive));
}

function drillSeries(series: Series, { done, lastGoodAt, rpoSeconds, rtoSeconds }: DrillResult): void {
  series.set('everest_drill_done', Number(done));
  series.set('everest_drill_last_timestamp_seconds', seconds(lastGoodAt));
  if (!done) return;
  series.set('everest_drill_rpo_seconds', rpoSeconds);
  series.set('everest_drill_rto_seconds', rtoSeconds);
}

/** What the status holds of a cluster's backups. */
export interface BackupDocuments {
  readonly archive?: ArchiveStatus | undefined;
  readonly backup?: BackupStatus | undefined;
  readonly drill?: DrillStatus | undefined;
}

function backupSeries(metrics: Metrics, cluster: string, { archive, backup }: BackupDocuments): void {
  for (const [repository, status] of Object.entries(backup?.repositories ?? {})) {
    repositorySeries(new Series(metrics, { cluster, repository }), status, archive);
  }
  for (const [schedule, { done }] of Object.entries(backup?.schedules ?? {})) {
    new Series(metrics, { cluster, schedule }).set('everest_backup_done', Number(done));
  }
}

function snapshotSeries(metrics: Metrics, cluster: string, snapshots: BackupStatus['snapshots'] = {}): void {
  for (const [schedule, records] of Object.entries(snapshots)) {
    const newest = records.find(({ good }) => good);
    new Series(metrics, { cluster, schedule }).set('everest_snapshot_last_timestamp_seconds', seconds(newest?.endedAt));
  }
}

const PREFIXES = ['everest_archive_', 'everest_backup_', 'everest_snapshot_', 'everest_recovery_', 'everest_drill_'];

export function setBackupMetrics(metrics: Metrics, cluster: string, documents: BackupDocuments): void {
  // What is not known any longer must not stand there as if it were.
  for (const prefix of PREFIXES) metrics.forget(cluster, prefix);
  if (documents.archive) archiveSeries(new Series(metrics, { cluster }), documents.archive);
  backupSeries(metrics, cluster, documents);
  snapshotSeries(metrics, cluster, documents.backup?.snapshots);
  for (const [drill, result] of Object.entries(documents.drill?.drills ?? {})) {
    drillSeries(new Series(metrics, { cluster, drill }), result);
  }
}
