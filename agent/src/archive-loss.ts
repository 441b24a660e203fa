/**
 * Whether a repository was lost, and whether there is a full backup in it again. While it stands, the repository itself
 * is read in each round, so that the status lists what is there and not what was.
 */
import { readRepository, writeRepository } from './backup-report.js';
import { isMadeGood, lostStatus, standingLoss } from './decide/archive-loss.js';
import type { Hands } from './execute/executor.js';
import { readBackupStatus, type LostStatus, type RepositoryStatus } from './model/backup-status.js';
import { lossesIn, type Loss } from './model/repository-notes.js';
import type { Primary } from './observe/primary.js';
import { readInfo } from './observe/repository.js';
import { SqlExec } from './observe/sql-exec.js';
import type { Store } from './observe/store.js';
import type { ContractDocument } from '../../src/contract/document.js';
import { dynamicConfigName, statusName } from '../../src/contract/names.js';

export interface Stores {
  readonly dcs: Store;
  readonly requests: Store;
}

type Contract = Pick<ContractDocument, 'cluster' | 'backup'>;

export class ArchiveLoss {
  constructor(private readonly stores: Stores, private readonly hands: Pick<Hands, 'sql' | 'kube' | 'clock'>) {}

  /** `known`: as it was told before. */
  async look(
    { cluster, backup }: Contract, primary: Primary | undefined, known: LostStatus | undefined,
  ): Promise<LostStatus | undefined> {
    const losses = lossesIn(this.stores.dcs.get(dynamicConfigName(cluster)));
    const listed = losses.length === 0 ? undefined : readBackupStatus(this.stores.requests.get(statusName(cluster)));
    const loss = backup && standingLoss(losses, backup, listed);
    if (!loss) return undefined;
    const lost = lostStatus(loss, known, listed?.repositories[loss.repository]);
    const now = primary && await this.read(cluster, loss, primary);
    return isMadeGood(loss, now) ? undefined : lost;
  }

  private async read(cluster: string, { repository }: Loss, primary: Primary): Promise<RepositoryStatus | undefined> {
    const { kube, sql, clock } = this.hands;
    const [exec, place] = [new SqlExec(sql, primary.ip), { pod: primary.name, repository }];
    const { facts } = await readInfo(exec, place);
    const found = await readRepository(exec, place, facts, clock);
    if (found) await writeRepository(kube, cluster, repository, found);
    return found;
  }
}
