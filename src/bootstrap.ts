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
   * Leaves roles that this cluster does not declare the passwords that they had. Without it nobody can log in with
   * them. Roles that are declared have the passwords of this cluster's Secrets in any case.
   *
   * @default false
   */
  readonly keepPasswords?: boolean;
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

  private constructor(
    /** `fresh` or `recover`. */
    public readonly method: string,
    /** System identifier of the cluster whose backups are there. */
    public readonly superseding?: string,
    /** What is recovered. */
    public readonly recovery?: RecoveryOptions,
  ) {}
}
