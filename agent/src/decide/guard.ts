/**
 * Whether planned work may be thought of at all. Everything that is unknown, and every other change that is under way,
 * comes before it.
 */
import { isLeading, type OperationsFacts } from './operations-facts.js';
import type { Row, RuleTable } from './rule-table.js';
import type { OperationsAction } from '../model/operations.js';

/** The watches wake the loop earlier. */
const WAIT_MS = 2000;

/** Watches are a little behind what was just done; acting on what they showed before would do it twice. */
const SETTLE_MS = 1500;

const holding = { then: () => [], actions: [] as string[], checkAgainInMs: () => WAIT_MS };

const rows: Array<Row<OperationsFacts, OperationsAction>> = [
  {
    id: 'poolers-paused',
    when: 'a pause of poolers was begun and not ended, as when the agent died in between',
    matches: (f) => f.memory.poolersPaused === true,
    then: (f) => [{ kind: 'ResumePoolers', cluster: f.snapshot.cluster }],
    because: () => 'Poolers may still be paused; they go on as soon as a primary is served.',
    checkAgainInMs: () => SETTLE_MS,
    actions: ['ResumePoolers'],
  },
  {
    id: 'operations-view-unknown',
    when: 'Pods, StatefulSets, lease or configuration could not be read',
    matches: (f) => f.snapshot.pods === 'unknown' || f.snapshot.statefulSets === 'unknown' || !f.leader || f.paused === undefined,
    because: () => 'Pods, StatefulSets, the lease or Patroni\'s configuration cannot be read, so no planned work is begun.',
    ...holding,
  },
  {
    id: 'operations-paused',
    when: 'Patroni is paused',
    matches: (f) => f.paused === true,
    because: () => 'Patroni is paused: a person has taken over.',
    ...holding,
  },
  {
    id: 'no-primary',
    when: 'nobody holds the lease, or its holder does not answer as a primary, or as the leader of a standby cluster',
    matches: (f) => !isLeading(f.primary?.report),
    because: (f) => (f.primary ? `${f.primary.pod} holds the lease but does not answer as a primary.` : 'There is no primary.'),
    ...holding,
  },
  {
    id: 'switchover-asked',
    when: 'a switchover was asked for and is not done',
    matches: (f) => f.snapshot.failoverAsked !== false,
    because: () => 'A switchover is under way.',
    ...holding,
  },
  {
    id: 'settling',
    when: 'something disruptive was done a moment ago',
    matches: (f) => f.nowMs - (f.memory.lastActionAtMs ?? -Infinity) < SETTLE_MS,
    because: () => 'The last action needs a moment to show.',
    ...holding,
    checkAgainInMs: () => SETTLE_MS,
  },
  {
    id: 'ready-for-work',
    when: 'anything else',
    matches: () => true,
    because: () => 'The cluster is known well enough for planned work.',
    ...holding,
    goOn: true,
  },
];

export const GUARD_TABLE: RuleTable<OperationsFacts, OperationsAction> = {
  name: 'guard',
  purpose: 'Whether planned work may begin. Runs on the replica that holds the Lease.',
  rows,
};
