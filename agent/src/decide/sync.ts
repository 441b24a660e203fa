/**
 * Standbys that stream count as synchronous within a moment, rather than at Patroni's next round, up to 10 s later.
 * Until then nobody but those it names may become primary, and where the only ones that it names are gone, as after the
 * second hand-over of a drain, no commit comes through: Patroni changes nothing for 10 s after a promotion
 * (`process_sync_replication`), so this has to be done before.
 * In the other direction, one that is being stopped waits until Patroni counts on it no longer.
 *
 * From: the sync key, the members' own reports. Invariants: Patroni alone decides whom it counts on; it is only woken.
 * Not here: how many standbys have to confirm.
 */
import { overcounted, uncounted, type MemberFacts, type OperationsFacts } from './operations-facts.js';
import type { Row, RuleTable } from './rule-table.js';
import type { OperationsAction, OperationsMemory } from '../model/operations.js';

/**
 * A standby that has just begun to stream says so at the end of its own round, and a change takes the primary
 * two rounds: some seconds. A primary whose Pod is stopped waits for so long before it hands over on its own.
 */
const PATIENCE_MS = 4000;
const WAKE_AGAIN_MS = 700;
/** Patroni may have its reasons, as with a standby that lags, or within 10 s of a promotion. */
const WAKE_LATER_MS = 5000;
const LOOK_AGAIN_MS = 200;

const waiting = (f: OperationsFacts): MemberFacts[] => uncounted(f, ({ streaming }) => streaming);
const isOff = (f: OperationsFacts) => waiting(f).length > 0 || overcounted(f).length > 0;
const names = (members: MemberFacts[]) => members.map(({ pod }) => pod).join(', ');

/** In words. */
function difference(f: OperationsFacts): string {
  const [missing, leaving] = [names(waiting(f)), names(overcounted(f))];
  if (missing === '') return `${leaving} is being stopped, and Patroni still counts on it`;
  return `${missing} streams, and Patroni does not count on it yet`;
}

const age = ({ nowMs, memory: { waking } }: OperationsFacts) => (waking ? nowMs - waking.sinceMs : 0);

function isDue(f: OperationsFacts): boolean {
  const { waking } = f.memory;
  return waking === undefined || f.nowMs - waking.lastMs >= (age(f) < PATIENCE_MS ? WAKE_AGAIN_MS : WAKE_LATER_MS);
}

/** What to remember: since when Patroni is woken for somebody, and when it was last. */
export function stillWaking(f: OperationsFacts): OperationsMemory['waking'] {
  return isOff(f) ? f.memory.waking : undefined;
}

const rows: Array<Row<OperationsFacts, OperationsAction>> = [
  {
    id: 'sync-behind',
    when: 'synchronous mode: a standby streams and Patroni does not count on it yet, or one is being stopped and it still does',
    matches: (f) => isOff(f) && isDue(f),
    then: (f) => [{ kind: 'WakePatroni', cluster: f.snapshot.cluster, pod: f.primary!.pod }],
    because: (f) => `${difference(f)}.`,
    checkAgainInMs: () => LOOK_AGAIN_MS,
    actions: ['WakePatroni'],
  },
  {
    id: 'sync-comes',
    when: 'Patroni was woken for that a moment ago, for the first time at most 4 s ago',
    matches: (f) => isOff(f) && age(f) < PATIENCE_MS,
    then: () => [],
    because: (f) => `${difference(f)}; it was woken for that.`,
    checkAgainInMs: () => LOOK_AGAIN_MS,
    actions: [],
  },
  {
    id: 'sync-complete',
    when: 'anything else',
    matches: () => true,
    then: () => [],
    because: () => 'Patroni counts on all standbys that it should, or has its reasons.',
    checkAgainInMs: () => 0,
    actions: [],
    goOn: true,
  },
];

export const SYNC_TABLE: RuleTable<OperationsFacts, OperationsAction> = {
  name: 'sync',
  purpose: 'When Patroni is woken to count on a standby, or on one no longer. Runs on the replica that holds the Lease.',
  rows,
};
