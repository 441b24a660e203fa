/** In which member pgBackRest makes a backup. */
import type { ContractSchedule } from '../../../src/contract/document.js';
import type { LeaderFacts, PodFacts } from '../model/facts.js';

export type MemberChoice =
  | { readonly pod: string; readonly uid: string; readonly note: string | undefined }
  | { readonly pod: undefined; readonly why: string };

export interface MemberView {
  readonly leader: Pick<LeaderFacts, 'pod'>;
  /** The Pod that the lease names. */
  readonly pod: Pick<PodFacts, 'name' | 'uid' | 'deleting' | 'container'> | undefined;
  readonly wanted: ContractSchedule['target'];
}

/**
 * pgBackRest starts and ends each backup on the primary, whose files it compares with those of the standby. From a
 * standby it needs a connection of its own to the primary's host (a pgBackRest server with certificates, or SSH), and
 * members offer neither.
 */
const ON_PRIMARY = 'a standby was asked for, but pgBackRest in a standby cannot reach the primary, so the backup runs in the primary';

export function chooseMember({ leader, pod, wanted }: MemberView): MemberChoice {
  if (leader.pod === undefined) return { pod: undefined, why: 'nobody holds the lease, so there is no primary to back up' };
  if (!pod) return { pod: undefined, why: `${leader.pod} holds the lease, and its Pod does not exist` };
  if (pod.deleting) return { pod: undefined, why: `${pod.name} is the primary and about to be stopped` };
  if (pod.container !== 'running') return { pod: undefined, why: `${pod.name} holds the lease, and its container does not run` };
  return { pod: pod.name, uid: pod.uid, note: wanted === 'standby' ? ON_PRIMARY : undefined };
}
