import type { Placement } from './placement';
import type { Resources } from './resources';
import type { PostgresStorage } from './storage';

/**
 * Members that are placed and sized apart from the others, such as replicas on spot nodes. They are called
 * `<cluster>-<name>-1`, `<cluster>-<name>-2` …
 */
export interface MemberGroup {
  /** Name of the group: lower-case letters, digits and `-`; not `default`. */
  readonly name: string;

  /** Number of members. Fewer of them leaves their volumes in place. */
  readonly instances: number;

  /**
   * False: its members never become primary and no commit waits for them.
   *
   * @default true
   */
  readonly promotable?: boolean;

  /** @default - the cluster's placement */
  readonly placement?: Placement;

  /** @default - the cluster's resources */
  readonly resources?: Resources;

  /** @default - the cluster's storage */
  readonly storage?: PostgresStorage;
}
