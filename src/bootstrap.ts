import type { RecoverySource } from './recovery-source';
import type { RecoveryTarget } from './recovery-target';

/** What a recovered cluster begins with. */
export interface RecoveryOptions {
  /** Whose backups. */
  readonly from: RecoverySource;

  /**
   * Up to which moment.
   *
   * @default RecoveryTarget.latest()
   */
  readonly target?: RecoveryTarget;

  /**
   * Name of a VolumeSnapshot in the cluster's namespace, made by a schedule of `BackupType.volumeSnapshot()` of the
   * cluster that `from` names. The first member's volume is made of it, and the log is replayed from there up to the
   * target; no backup is copied. `storage.size` has to be at least the snapshot's `restoreSize`. Stays in the manifest
   * as long as that volume does: Kubernetes refuses to change what a claim was made of.
   *
   * @default - the newest backup before the target
   */
  readonly snapshot?: string;

  /**
   * Leaves roles that this cluster does not declare the passwords that they had. Without it nobody can log in with
   * them. Roles that are declared have the passwords of this cluster's Secrets in any case.
   *
   * @default - false; true for a restore in place
   */
  readonly keepPasswords?: boolean;

  /**
   * Stops at the target, where the data can be read in the recovering Pod, and nothing is promoted or written. Take it
   * out to promote them: that takes up to two minutes, until Kubernetes has brought the file. Another target instead
   * begins anew. Needs a target other than the latest.
   *
   * @default false
   */
  readonly pauseAtTarget?: boolean;

  /**
   * Restores in place: members that have data set them aside on their volumes, once for this name, and the cluster is
   * recovered under its own name. Begins when all Pods of the cluster have been deleted at once, and ends the cluster
   * until it is done. The volumes need room for both. `Bootstrap.putBack()` with this name goes back. A Galera cluster
   * takes its own backups only, and a member of it that starts again before that waits for the others to stop.
   *
   * @default - only a cluster without data is recovered
   */
  readonly replacing?: string;
}

/** Where a cluster's first data come from. Read while no member has data; without effect on a living cluster. */
export class Bootstrap {
  /**
   * An empty cluster, although its repository holds backups of another one: without this, members of a cluster that has
   * lost all of its volumes wait, and do not begin anew over its backups. The backups stay, and stay restorable.
   *
   * @param superseding the system identifier of the cluster whose backups are there, as the waiting member's log names
   * it. It fits once: after the new cluster's first start the repository belongs to another identifier.
   */
  public static fresh(superseding: string): Bootstrap {
    return new Bootstrap('fresh', superseding);
  }

  /**
   * A copy of a cluster as it was at a moment, made from its backups and its archive. Before anything is made the
   * members look whether the moment can be reached, and wait with the reason if not. The copy archives to its own
   * repository, which has to be another one, and makes a full backup there at once.
   */
  public static recover(options: RecoveryOptions): Bootstrap {
    return new Bootstrap('recover', undefined, options);
  }

  /**
   * Goes back behind a restore in place: the data that it had set aside are the cluster's again, and what was written
   * since is set aside in their place. Give the cluster the storage that it had before. Begins when all Pods of the
   * cluster have been deleted at once.
   *
   * @param replaced the name that the restore had
   */
  public static putBack(replaced: string): Bootstrap {
    return new Bootstrap('putBack', undefined, undefined, replaced);
  }

  private constructor(
    /** `fresh`, `recover` or `putBack`. */
    public readonly method: string,
    /** System identifier of the cluster whose backups are there. */
    public readonly superseding?: string,
    /** What is recovered. */
    public readonly recovery?: RecoveryOptions,
    /** Name of the restore that is taken back. */
    public readonly replaced?: string,
  ) {}
}
