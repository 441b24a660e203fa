/**
 * Who takes the lease of a lost primary. Patroni's own rule for quorum mode: as many standbys as can elect (quorum + 1)
 * are heard, and the one with the most of the log wins, so all that was ever acknowledged is with it. Pure.
 */
import type { MemberReport } from './facts.js';

/** A synchronous standby as it was just now. */
export interface Voter {
  readonly pod: string;
  readonly node: string | undefined;
  /** Nothing could bring it back to the old primary. */
  readonly free: boolean;
  /** End of what it has, in bytes of the log. */
  readonly position: number | undefined;
  /** What its Patroni says: it is the one that has to promote. */
  readonly report: MemberReport | undefined;
}

export interface Estate {
  readonly voters: readonly Voter[];
  readonly needed: number;
  /** Where the lost primary ran: what took it away may take its neighbour as well. */
  readonly lostNode: string | undefined;
  /** Whom a switchover names. */
  readonly asked: string | undefined;
}

function canPromote({ report, position }: Voter): boolean {
  return position !== undefined && report?.state === 'running' && report.role === 'replica' && report.timeline !== undefined;
}

/** Whoever missed a promotion has nothing to say, however far its own log goes. */
function isBehind(voter: Voter, voters: readonly Voter[]): boolean {
  return voters.some(({ report }) => (report?.timeline ?? 0) > voter.report!.timeline!);
}

function preference({ asked, lostNode }: Estate): (a: Voter, b: Voter) => number {
  const rank = ({ pod, node }: Voter) => (pod === asked ? 0 : node === undefined || node !== lostNode ? 1 : 2);
  return (a, b) => rank(a) - rank(b) || a.pod.localeCompare(b.pod);
}

/** Undefined: this cannot be said for sure, and Patroni elects. */
export function heirOf(estate: Estate): Voter | undefined {
  const { voters, needed } = estate;
  if (voters.length < needed || voters.some(({ position }) => position === undefined)) return undefined;
  const most = Math.max(...voters.map(({ position }) => position!));
  const best = voters.filter((voter) => voter.position === most && canPromote(voter) && !isBehind(voter, voters));
  return best.sort(preference(estate))[0];
}
