/** What Jobs and the agent know of backups beyond the contract document. */

/** Name under which a backup that a person asked for is reported; no schedule may be called so. */
export const ON_DEMAND = 'on-demand';

/** Where a member has what the agent reads by SQL. */
export const MEMBER_PATHS = {
  /** Empty while nothing is archived. */
  pgbackrest: '/etc/everest/pgbackrest.conf',
  /** pgBackRest's, on the data volume: the last error of each file that did not get through. */
  spool: '/pgdata/spool',
  /** Backup mode, for whoever makes a snapshot of the volume. */
  snapshotScript: '/etc/everest/snapshot.py',
} as const;
