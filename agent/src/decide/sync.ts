/**
 * Standbys that stream count as synchronous within a moment, rather than at Patroni's next round, up to 10 s later.
 * Until then nobody but those it names may become primary, and where the only ones that it names are gone, as after the
 * second hand-over of a drain, no commit comes through.
 *
 * From: the sync key, the members' own reports. Invariants: Patroni alone decides whom it counts on; it is only woken.
 * Not here: how many standbys have to confirm.
 */
import { uncounted, type MemberFacts, type OperationsFacts } from './operations-facts.js';
import type { Row, RuleTable } from './rule-table.js';
import type { OperationsAction } from '../model/operations.js';

/** A round takes some 100 ms, and one more a second later where it also changes how many confirm (seen in traces). */
const ROUND_MS = 1500;
/** It may take several rounds; and Patroni may have its reasons, as with a standby that lags. */
const WAKE_AGAIN_MS = 2500;
const LOOK_AGAIN_MS = 200;

const waiting = (f: OperationsFacts): MemberFacts[] => uncounted(f, ({ streaming }) => streaming);
const names = (f: OperationsFacts) => waiting(f).map(({ pod }) => pod).join(', ');
const sinceWoken = (f: OperationsFacts) => f.nowMs - (f.memory.wokeAtMs ?? -Infinity);

const rows: Array<Row<OperationsFacts, OperationsAction>> = [
  {
    id: 'sync-behind',
    when: 'synchronous mode: a standby streams, but Patroni does not count on it yet',
    matches: (f) => waiting(f).length > 0 && sinceWoken(f) >= WAKE_AGAIN_MS,
    then: (f) => [{ kind: 'WakePatroni', cluster: f.snapshot.cluster, pod: f.primary!.pod }],
    because: (f) => `${names(f)} streams, but Patroni does not count on it yet.`,
    checkAgainInMs: () => LOOK_AGAIN_MS,
    actions: ['WakePatroni'],
  },
  {
    id: 'sync-comes',
    when: 'Patroni was woken a moment ago to count on a standby',
    matches: (f) => waiting(f).length > 0 && sinceWoken(f) < ROUND_MS,
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
