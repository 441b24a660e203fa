/** What a Job leaves in `<cluster>-status` about its run and about the repository. */
import { recoveryWindow, type WindowReading } from './decide/recovery-window.js';
import {
  BACKUP_KEY, BACKUP_STATUS_VERSION, BACKUPS_LISTED, readBackupStatus,
  type BackupRecord, type BackupStatus, type RepositoryStatus, type ScheduleResult,
} from './model/backup-status.js';
import type { BackupFacts, RepositoryFacts } from './model/pgbackrest.js';
import type { ArchiveListing } from './model/wal.js';
import { KubeError, type Kube } from './ports/kube.js';
import { statusName } from '../../src/contract/names.js';

/** Jobs of one cluster write one after the other; the agent's own writes are in between. */
const MOST_TRIES = 5;

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

export interface BackupReport {
  readonly schedule: string;
  readonly result: ScheduleResult;
  /** Absent when the repository could not be read: what was known stays. */
  readonly repository?: RepositoryStatus;
}

export function withReport(before: BackupStatus | undefined, report: BackupReport, at: Date): BackupStatus {
  const { schedule, result, repository } = report;
  const lastGoodAt = result.done ? result.endedAt : before?.schedules[schedule]?.lastGoodAt;
  const lasting = lastGoodAt === undefined ? result : { ...result, lastGoodAt };
  return {
    statusVersion: BACKUP_STATUS_VERSION,
    updatedAt: at.toISOString(),
    schedules: { ...before?.schedules, [schedule]: lasting },
    repositories: { ...before?.repositories, ...(repository ? { [result.repository]: repository } : {}) },
  };
}

/** The status is read again before each try, so that nothing of what others wrote is lost. */
export async function writeReport(kube: Kube, cluster: string, report: BackupReport, at: Date): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const object = await kube.get('configmaps', statusName(cluster));
    const status = withReport(readBackupStatus(object), report, at);
    const body = {
      metadata: { resourceVersion: object.metadata.resourceVersion },
      data: { [BACKUP_KEY]: `${JSON.stringify(status, undefined, 2)}\n` },
    };
    try {
      await kube.patch('configmaps', statusName(cluster), body);
      return;
    } catch (problem) {
      if (!(problem instanceof KubeError && problem.conflict) || tries === MOST_TRIES) throw problem;
    }
  }
}
