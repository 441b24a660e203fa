/** Whether the primary's clock is that of the agent's node. Pure. */
import type { ArchiveStatus, ClockStatus } from '../model/backup-status.js';
import type { DecisionRecord } from '../model/status.js';

/** NTP keeps nodes within milliseconds of each other; what is off by seconds has none. */
const LIMIT_MS = 5_000;

/** When a question was sent and when its answer was there, by the agent's clock. */
export interface Asked {
  readonly from: number;
  readonly to: number;
}

/** How far the primary's clock is ahead, in ms; 0 where the time that the question took explains it. */
export function clockOffset(serverNow: number, { from, to }: Asked): number {
  if (serverNow > to + LIMIT_MS) return serverNow - to;
  if (serverNow < from - LIMIT_MS) return serverNow - from;
  return 0;
}

const FIX = 'Set the clocks of both nodes (NTP). Moments of transactions are by the primary\'s clock: over a change of the '
  + 'primary, or of its clock, a recovery to a moment may stop as much too early. Name the latest, a place, a transaction or a '
  + 'restore point instead.';

export function clockStatus(primary: string, offsetMs: number): ClockStatus | undefined {
  if (offsetMs === 0) return undefined;
  const seconds = Math.round(offsetMs / 1000);
  const problem = `The clock of the primary ${primary} is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the agent's.`;
  return { offsetSeconds: seconds, problem, fix: FIX };
}

type Seen = Pick<ArchiveStatus, 'state' | 'clock'>;

/** What is told when that begins or ends. */
export function clockNews(before: Seen | undefined, now: Seen): Omit<DecisionRecord, 'at'> | undefined {
  if (now.state === 'unknown' || (before?.clock === undefined) === (now.clock === undefined)) return undefined;
  return now.clock
    ? { ruleId: 'clock-differs', because: `${now.clock.problem} ${now.clock.fix}`, done: false }
    : { ruleId: 'clock-agrees', because: 'The clock of the primary agrees with the agent\'s again.', done: true };
}
