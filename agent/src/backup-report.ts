/** What a Job leaves in `<cluster>-status` about its run and about the repository. */
import { currentArchive, recoveryWindow, type WindowReading } from './decide/recovery-window.js';
import {
  BACKUP_KEY, BACKUP_STATUS_VERSION, BACKUPS_LISTED, readBackupStatus,
  type BackupRecord, type BackupStatus, type RepositoryStatus, type ScheduleResult, type SnapshotRecord,
} from './model/backup-status.js';
import { isReadable, type BackupFacts, type RepositoryFacts } from './model/pgbackrest.js';
import type { ArchiveListing } from './model/wal.js';
import { listArchive, type Place } from './observe/repository.js';
import type { Clock } from './ports/clock.js';
import type { Exec } from './ports/exec.js';
import type { Kube } from './ports/kube.js';
import { changeDocument } from './status-document.js';

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

function record(backup: BackupFacts): BackupRecord {
  const { label, type, damaged, startedAt, stoppedAt, sizeBytes, storedBytes, buildsOn } = backup;
  return {
    label, type, good: !damaged, startedAt: iso(startedAt), endedAt: iso(stoppedAt), buildsOn,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(storedBytes === undefined ? {} : { storedBytes }),
  };
}

function windowFields({ window, gap, ...rest }: WindowReading): Partial<RepositoryStatus> {
  const found = window && { ...window, startsAt: iso(window.startsAt), endsAt: iso(window.endsAt) };
  return {
    ...(found ? { window: found } : {}),
    ...('why' in rest ? { why: rest.why } : {}),
    ...(gap === undefined ? {} : { gap }),
  };
}

export function repositoryStatus(
  repository: RepositoryFacts, listing: ArchiveListing | 'unknown', at: Date,
): RepositoryStatus {
  return {
    checkedAt: at.toISOString(),
    ...windowFields(recoveryWindow(repository, listing)),
    backups: repository.backups.map(record).reverse().slice(0, BACKUPS_LISTED),
  };
}

/** The same from the storage itself: its archive is listed by the member. */
export async function readRepository(
  exec: Exec, place: Place, facts: RepositoryFacts | 'unknown', clock: Clock,
): Promise<RepositoryStatus | undefined> {
  if (facts === 'unknown' || !isReadable(facts)) return undefined;
  const archive = currentArchive(facts);
  const listing = archive && facts.backups.length > 0 ? await listArchive(exec, place, archive.id) : 'unknown';
  return repositoryStatus(facts, listing, clock.wall());
}

export interface BackupReport {
  readonly schedule: string;
  readonly result: ScheduleResult;
  /** Absent when the repository could not be read: what was known stays. */
  readonly repository?: RepositoryStatus;
  /** Absent when they could not be listed, and for schedules of other backups. */
  readonly snapshots?: readonly SnapshotRecord[];
}

/** Those of other schedules stay as they were told. */
function withSnapshots(before: BackupStatus['snapshots'], schedule: string, found: BackupReport['snapshots']) {
  if (!before && !found) return {};
  return { snapshots: { ...before, ...(found ? { [schedule]: found } : {}) } };
}

export function withReport(before: BackupStatus | undefined, report: BackupReport, at: Date): BackupStatus {
  const { schedule, result, repository, snapshots } = report;
  const lastGoodAt = result.done ? result.endedAt : before?.schedules[schedule]?.lastGoodAt;
  const lasting = lastGoodAt === undefined ? result : { ...result, lastGoodAt };
  return {
    statusVersion: BACKUP_STATUS_VERSION,
    updatedAt: at.toISOString(),
    schedules: { ...before?.schedules, [schedule]: lasting },
    repositories: { ...before?.repositories, ...(repository ? { [result.repository]: repository } : {}) },
    ...withSnapshots(before?.snapshots, schedule, snapshots),
  };
}

/** Found between two Jobs. */
export async function writeRepository(
  kube: Kube, cluster: string, key: number, repository: RepositoryStatus,
): Promise<void> {
  await changeDocument(kube, cluster, BACKUP_KEY, (object): BackupStatus => {
    const before = readBackupStatus(object) ?? { schedules: {}, repositories: {} };
    const repositories = { ...before.repositories, [key]: repository };
    return { ...before, statusVersion: BACKUP_STATUS_VERSION, updatedAt: repository.checkedAt, repositories };
  });
}

export async function writeReport(kube: Kube, cluster: string, report: BackupReport, at: Date): Promise<void> {
  await changeDocument(kube, cluster, BACKUP_KEY, (object) => withReport(readBackupStatus(object), report, at));
}
