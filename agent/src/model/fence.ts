/**
 * A fence is a lease that nobody holds and that is not free either: in place of its holder's name it carries a name
 * that no member has. Patroni elects nobody while it stands, its standbys take the old primary's address out of their
 * configuration, since they know none for that name, and the old primary, where it still lives, demotes itself.
 */
export interface Fence {
  /** Who held the lease. */
  readonly pod: string;
  readonly uid: string;
}

/** Neither ":" nor "/" can stand in the name of a Pod. */
const PREFIX = 'fenced:';

export function fenceName({ pod, uid }: Fence): string {
  return `${PREFIX}${pod}/${uid}`;
}

export function parseFence(leader: string | undefined): Fence | undefined {
  if (!leader?.startsWith(PREFIX)) return undefined;
  const [pod = '', uid = ''] = leader.slice(PREFIX.length).split('/');
  return { pod, uid };
}
