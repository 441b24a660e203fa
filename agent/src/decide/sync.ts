/**
 * Standbys that stream count as synchronous within a moment, rather than at Patroni's next round, up to 10 s later.
 * Until then nobody but those it names may become primary, and where the only ones that it names are gone, as after the
 * second hand-over of a drain, no commit comes through: Patroni changes nothing for 10 s after a promotion
 * (`process_sync_replication`), so this has to be done before.
 *
 * From: the sync key, the members' own reports. Invariants: Patroni alone decides whom it counts on; it is only woken.
 * Not here: how many standbys have to confirm.
 */
import { uncounted, type MemberFacts, type OperationsFacts } from './operations-facts.js';
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
const names = (f: OperationsFacts) => waiting(f).map(({ pod }) => pod).join(', ');
const age = ({ nowMs, memory: { waking } }: OperationsFacts) => (waking ? nowMs - waking.sinceMs : 0);

function isDue(f: OperationsFacts): boolean {
  const { waking } = f.memory;
  return waking === undefined || f.nowMs - waking.lastMs >= (age(f) < PATIENCE_MS ? WAKE_AGAIN_MS : WAKE_LATER_MS);
}

/** What to remember: since when Patroni is woken for somebody, and when it was last. */
export function stillWaking(f: OperationsFacts): OperationsMemory['waking'] {
  return waiting(f).length > 0 ? f.memory.waking : undefined;
}

const rows: Array<Row<OperationsFacts, OperationsAction>> = [
  {
    id: 'sync-behind',
    when: 'synchronous mode: a standby streams, but Patroni does not count on it yet',
    matches: (f) => waiting(f).length > 0 && isDue(f),
    then: (f) => [{ kind: 'WakePatroni', cluster: f.snapshot.cluster, pod: f.primary!.pod }],
    because: (f) => `${names(f)} streams, but Patroni does not count on it yet.`,
    checkAgainInMs: () => LOOK_AGAIN_MS,
    actions: ['WakePatroni'],
  },
  {
    id: 'sync-comes',
    when: 'Patroni was woken a moment ago to count on a standby, for the first time at most 4 s ago',
    matches: (f) => waiting(f).length > 0 && age(f) < PATIENCE_MS,
    then: () => [],
    because: (f) => `Patroni is about to count on ${names(f)}.`,
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
  purpose: 'When Patroni is woken to count on a standby. Runs on the replica that holds the Lease.',
  rows,
};
