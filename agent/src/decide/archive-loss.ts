/**
 * A repository in which all was gone. Its members begin it anew, so WAL arrives again, and nothing from before can be
 * recovered: that stands until a good full backup is in it.
 */
import type { ContractBackup } from '../../../src/contract/document.js';
import type {
  ArchiveStatus, BackupStatus, FailureStatus, LostStatus, RepositoryStatus,
} from '../model/backup-status.js';
import type { Loss } from '../model/repository-notes.js';

export const ARCHIVE_LOST = 'archive-lost';

export function isMadeGood({ at }: Pick<Loss, 'at'>, repository: RepositoryStatus | undefined): boolean {
  const counts = repository?.backups.filter(({ good, type }) => good && type === 'full') ?? [];
  return counts.some(({ startedAt }) => Date.parse(startedAt) >= Date.parse(at));
}

/** Of repositories that are declared now: what another one held is no loss of theirs. */
export function standingLoss(losses: readonly Loss[], { repositories }: Pick<ContractBackup, 'repositories'>,
  backup: BackupStatus | undefined): Loss | undefined {
  const isDeclared = ({ repository, storage }: Loss) => (
    repositories.some((each) => each.key === repository && each.storage === storage)
  );
  return losses.find((loss) => isDeclared(loss) && !isMadeGood(loss, backup?.repositories[loss.repository]));
}

/** What is gone was listed before the loss; it is told as long as the loss stands. */
export function lostStatus(
  loss: Loss, known: LostStatus | undefined, listed: RepositoryStatus | undefined,
): LostStatus {
  if (known?.repository === loss.repository && known.at === loss.at) return known;
  const gone = listed?.backups.filter(({ endedAt }) => Date.parse(endedAt) <= Date.parse(loss.at)) ?? [];
  return { ...loss, backups: gone.length, ...(gone[0] ? { newestBackup: gone[0].label } : {}) };
}

function counted({ backups, newestBackup }: LostStatus): string {
  if (backups === 0) return 'no backup was listed there';
  return `${backups === 1 ? 'the backup' : `the ${backups} backups`} that the status listed (the newest: ${newestBackup}) and all WAL of before are gone`;
}

export function explainLoss(lost: LostStatus): FailureStatus {
  const { storage, at } = lost;
  return {
    kind: ARCHIVE_LOST,
    problem: `The repository in ${storage} was found empty at ${at}: ${counted(lost)}, and no moment before a new full backup can be recovered.`,
    fix: 'The archive has begun anew, and the primary makes a full backup at once. Find out who removed the objects; whoever moved the storage on purpose has nothing else to do.',
    detail: '',
  };
}

/** What fails now is more urgent than what was lost before. */
export function withLoss(status: ArchiveStatus, lost: LostStatus | undefined): ArchiveStatus {
  return lost ? { ...status, lost, failure: status.failure ?? explainLoss(lost) } : status;
}
