import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../../src/decide/health.js';
import { gatherOperations } from '../../src/decide/operations-facts.js';
import { OPERATIONS_TABLES, decideOperations, mayHaveWork } from '../../src/decide/operations.js';
import type { OperationsMemory, OperationsSnapshot, StandstillCause } from '../../src/model/operations.js';
import { LEADER, NAMES, lease, pod, report } from '../support/failover.js';
import { MEMORY, PATRONI, PRIMARY_REPORT, REPORTS, contract, operations, statefulSet } from '../support/operations.js';

interface Example {
  readonly name: string;
  readonly rule: string;
  readonly view: OperationsSnapshot;
  readonly memory?: OperationsMemory;
  readonly action?: object;
}

const NOW_MS = 100_000;
const NEW = NAMES.map((name) => statefulSet(name, { updateRevision: 'r2' }));
const current = (name: string) => pod(name, { revision: 'r2' });
const RAISED = [{ parameter: 'max_connections', from: '100', to: '200' }];
const LOWERED = [{ parameter: 'max_connections', from: '100', to: '50' }];
const PRIMARY_RAISED = { ...PRIMARY_REPORT, pendingRestart: RAISED };
const PRIMARY_LOWERED = { ...PRIMARY_REPORT, pendingRestart: LOWERED };
const wanted = (parameters: Record<string, string>) => (
  contract(NAMES, { ...PATRONI, postgresql: { ...PATRONI.postgresql, parameters } })
);
const single = {
  contract: contract([LEADER]), pods: [pod(LEADER)], statefulSets: [statefulSet(LEADER)], reports: [PRIMARY_REPORT],
};

const standing = (cause: StandstillCause, forMs: number) => operations({
  reports: [PRIMARY_REPORT, report(NAMES[1], { streaming: false }), REPORTS[2]!],
  standstills: [{ pod: NAMES[1], uid: 'uid-2', cause, forMs }],
});

const LEAVING = [pod(LEADER, { deleting: true }), pod(NAMES[1]), pod(NAMES[2])];

/** Patroni was asked, and had the time for its answer. */
const WOKEN = { ...MEMORY, waking: { sinceMs: 95_000, lastMs: 99_000 } };
const LAST_ONLY = { leader: LEADER, standbys: [NAMES[2]], quorum: 0 };

const EXAMPLES: Example[] = [
  {
    name: 'ends a pause that was left behind before anything else', rule: 'poolers-paused', view: operations({ pods: 'unknown' }),
    memory: { ...MEMORY, poolersPaused: true }, action: { kind: 'ResumePoolers' },
  },
  {
    name: 'makes the member primary that a person names', rule: 'switchover-requested', view: operations({ switchoverRequest: 'orders-3' }),
    action: { kind: 'Switchover', from: LEADER, to: NAMES[2], request: 'orders-3' },
  },
  {
    name: 'takes the best member when a person asks for any', rule: 'switchover-requested', view: operations({ switchoverRequest: 'any' }),
    action: { kind: 'Switchover', to: NAMES[1] },
  },
  {
    name: 'hands over to a standby that names the old timeline while the primary says that it streams to it', rule: 'switchover-requested',
    view: operations({ switchoverRequest: 'any', reports: [{ ...PRIMARY_REPORT, timeline: 2, streamsTo: [NAMES[1]] }, report(NAMES[1]), report(NAMES[2])] }),
    action: { kind: 'Switchover', to: 'orders-2-0' },
  },
  {
    name: 'refuses a standby on another timeline that the primary does not stream to', rule: 'request-refused',
    view: operations({ switchoverRequest: 'any', reports: [{ ...PRIMARY_REPORT, timeline: 2 }, report(NAMES[1]), report(NAMES[2])] }),
    action: {
      kind: 'RefuseRequest',
      reason: 'no standby may take over now: orders-2-0 streams on timeline 1, not on that of the primary, orders-3-0 streams on timeline 1, not on that of the primary',
    },
  },
  {
    name: 'refuses a member that does not exist and names those that do', rule: 'request-refused', view: operations({ switchoverRequest: 'orders-9' }),
    action: { kind: 'RefuseRequest', reason: 'there is no member "orders-9"; name one of orders-1, orders-2, orders-3, or any' },
  },
  {
    name: 'refuses the member that is primary already', rule: 'request-refused', view: operations({ switchoverRequest: 'orders-1' }),
    action: { kind: 'RefuseRequest', reason: 'orders-1 is the primary already' },
  },
  {
    name: 'refuses a request while Patroni is paused, so that it does not come true much later', rule: 'request-refused',
    view: operations({ switchoverRequest: 'any', config: { ...PATRONI, pause: true } }), action: { kind: 'RefuseRequest', reason: 'Patroni is paused' },
  },
  {
    name: 'hands over a primary whose Pod is to be stopped', rule: 'hand-over-leaving', view: operations({ pods: LEAVING }),
    action: { kind: 'Switchover', from: LEADER, to: NAMES[1] },
  },
  {
    name: 'hands over a leaving primary also while the sync key names only one standby', rule: 'hand-over-leaving',
    view: operations({ pods: LEAVING, sync: LAST_ONLY }), memory: WOKEN, action: { kind: 'Switchover', to: NAMES[2] },
  },
  {
    name: 'wakes Patroni when it does not count on a standby that streams', rule: 'sync-behind',
    view: operations({ pods: LEAVING, sync: LAST_ONLY }), action: { kind: 'WakePatroni', pod: LEADER },
  },
  {
    name: 'wakes Patroni when the only standby that it counts on is being stopped', rule: 'sync-behind',
    view: operations({ pods: [pod(LEADER), pod(NAMES[1]), pod(NAMES[2], { deleting: true })], sync: LAST_ONLY }),
    action: { kind: 'WakePatroni', pod: LEADER },
  },
  {
    name: 'wakes Patroni to release a standby that is being stopped, because it waits for that', rule: 'sync-behind',
    view: operations({ pods: [pod(LEADER), pod(NAMES[1]), pod(NAMES[2], { deleting: true })] }),
    action: { kind: 'WakePatroni', pod: LEADER },
  },
  {
    name: 'wakes Patroni for each round that it needs', rule: 'sync-behind', view: operations({ pods: LEAVING, sync: LAST_ONLY }),
    memory: { ...MEMORY, waking: { sinceMs: 98_000, lastMs: 99_000 } }, action: { kind: 'WakePatroni' },
  },
  {
    name: 'gives Patroni its round before anything else', rule: 'sync-comes', view: operations({ pods: LEAVING, sync: LAST_ONLY }),
    memory: { ...MEMORY, waking: { sinceMs: 98_000, lastMs: 99_500 } },
  },
  {
    name: 'leaves a standby that does not stream to Patroni', rule: 'no-restart-pending',
    view: operations({
      sync: LAST_ONLY, reports: [PRIMARY_REPORT, report(NAMES[1], { streaming: false }), REPORTS[2]!],
    }),
  },
  {
    name: 'does not wake Patroni over and over, since it may have its reasons', rule: 'no-restart-pending', view: operations({ sync: LAST_ONLY }),
    memory: WOKEN,
  },
  {
    name: 'hands over a leaving primary to a member on another node, because a drain would take its neighbour next', rule: 'hand-over-leaving',
    view: operations({ pods: [LEAVING[0]!, pod(NAMES[1], { node: 'n1' }), pod(NAMES[2])] }), action: { kind: 'Switchover', to: NAMES[2] },
  },
  {
    name: 'leaves a cordoned node, to a member on another one', rule: 'hand-over-cordoned', view: operations({ cordoned: ['n1', 'n2'] }),
    action: { kind: 'Switchover', from: LEADER, to: NAMES[2] },
  },
  { name: 'stays where all nodes are cordoned', rule: 'no-restart-pending', view: operations({ cordoned: ['n1', 'n2', 'n3'] }) },
  {
    name: 'begins nothing else while a primary leaves that nobody can follow', rule: 'leaving-without-heir',
    view: operations({ pods: LEAVING, reports: [PRIMARY_REPORT], statefulSets: NEW }),
  },
  { name: 'begins nothing while the StatefulSets cannot be read', rule: 'operations-view-unknown', view: operations({ statefulSets: 'unknown' }) },
  { name: 'begins nothing while Patroni is paused', rule: 'operations-paused', view: operations({ config: { ...PATRONI, pause: true } }) },
  { name: 'begins nothing without a primary', rule: 'no-primary', view: operations({ leader: lease({ pod: undefined }), statefulSets: NEW }) },
  { name: 'begins nothing when the holder of the lease does not answer', rule: 'no-primary', view: operations({ reports: REPORTS.slice(1), statefulSets: NEW }) },
  { name: 'lets a switchover end first', rule: 'switchover-asked', view: operations({ failoverAsked: true, statefulSets: NEW }) },
  { name: 'waits until the last action shows', rule: 'settling', view: operations({ statefulSets: NEW }), memory: { ...MEMORY, lastActionAtMs: 99_500 } },
  {
    name: 'takes a refused value back', rule: 'parameter-refused', view: operations(),
    memory: { ...MEMORY, restartFailed: NAMES[1], before: { max_connections: '90' } },
    action: { kind: 'PatchConfig', patch: { postgresql: { parameters: { max_connections: '90' } } } },
  },
  {
    name: 'takes a value back that PostgreSQL does not take at a reload', rule: 'parameter-not-taken',
    view: operations({ refusals: [{ parameter: 'work_mem', error: 'invalid value' }] }), memory: { ...MEMORY, before: { work_mem: '2MB', max_connections: '90' } },
    action: { kind: 'PatchConfig', patch: { postgresql: { parameters: { work_mem: '2MB' } } } },
  },
  {
    name: 'does not call new values good before PostgreSQL was asked', rule: 'parameters-unchecked',
    view: operations({ refusals: 'unknown' }), memory: { ...MEMORY, before: { work_mem: '2MB' } },
  },
  {
    name: 'changes only what differs', rule: 'config-differs', view: operations({ contract: wanted({ max_connections: '100', work_mem: '8MB' }) }),
    action: { kind: 'PatchConfig', patch: { postgresql: { parameters: { work_mem: '8MB' } } } },
  },
  {
    name: 'removes a parameter that it had set and the contract names no more', rule: 'config-differs', view: operations({ contract: wanted({ max_connections: '100' }) }),
    action: { kind: 'PatchConfig', patch: { postgresql: { parameters: { work_mem: null } } } },
  },
  {
    name: 'restarts a standby that has diverged and does not rewind by itself', rule: 'restart-standstill', view: standing('diverged', 6000),
    action: { kind: 'EvictPod', pod: NAMES[1], evenPrimary: false },
  },
  { name: 'gives Patroni a moment to rewind by itself', rule: 'no-restart-pending', view: standing('diverged', 4000) },
  {
    name: 'restarts a standby whose PostgreSQL does not start', rule: 'restart-standstill', view: standing('not-started', 31_000),
    action: { kind: 'EvictPod', pod: NAMES[1] },
  },
  {
    name: 'never throws away the data of a standby that does not start', rule: 'no-restart-pending', view: standing('not-started', 1e6),
    memory: { ...MEMORY, mended: { [NAMES[1]]: 'restarted' } },
  },
  {
    name: 'rebuilds a standby that is still diverged after a restart', rule: 'rebuild-standstill', view: standing('diverged', 21_000),
    memory: { ...MEMORY, mended: { [NAMES[1]]: 'restarted' } }, action: { kind: 'RebuildMember', pod: NAMES[1] },
  },
  { name: 'rebuilds a standby for which the WAL is gone', rule: 'rebuild-standstill', view: standing('wal-gone', 11_000), action: { kind: 'RebuildMember', pod: NAMES[1] } },
  {
    name: 'rebuilds nobody twice for the same trouble', rule: 'no-restart-pending', view: standing('wal-gone', 1e6),
    memory: { ...MEMORY, mended: { [NAMES[1]]: 'rebuilt' } },
  },
  { name: 'leaves a standby alone that stands still for no known cause', rule: 'no-restart-pending', view: standing('unclear', 1e6) },
  {
    name: 'mends a member before the rolling change that waits for it', rule: 'restart-standstill', view: { ...standing('diverged', 6000), statefulSets: NEW },
    action: { kind: 'EvictPod', pod: NAMES[1] },
  },
  {
    name: 'does nothing about a Pod that has been replaced since it was looked at', rule: 'no-restart-pending',
    view: { ...standing('diverged', 6000), pods: [pod(LEADER), pod(NAMES[1], { uid: 'new' }), pod(NAMES[2])] },
  },
  {
    name: 'replaces a standby that never came up on its template', rule: 'member-stuck',
    view: operations({ statefulSets: NEW, pods: [pod(LEADER), pod(NAMES[1], { ready: false, started: false, container: 'waiting', containerReason: 'ErrImagePull' }), pod(NAMES[2])], reports: [PRIMARY_REPORT, REPORTS[2]!] }),
    action: { kind: 'EvictPod', pod: NAMES[1] },
  },
  {
    name: 'hands over a primary that the contract lists no more', rule: 'retire-primary', view: operations({ contract: contract(NAMES.slice(1)) }),
    action: { kind: 'Switchover', from: LEADER, to: NAMES[1] },
  },
  {
    name: 'keeps a member that is to go while a listed one is not well', rule: 'retire-waits',
    view: operations({
      contract: contract(NAMES.slice(0, 2)),
      reports: [PRIMARY_REPORT, report(NAMES[1], { streaming: false }), REPORTS[2]!],
    }),
  },
  { name: 'stops a standby that the contract lists no more', rule: 'retire-member', view: operations({ contract: contract(NAMES.slice(0, 2)) }), action: { kind: 'ScaleToZero', statefulSet: 'orders-3' } },
  { name: 'waits for the StatefulSet controller', rule: 'template-unknown', view: operations({ statefulSets: NAMES.map((name) => statefulSet(name, { updateRevision: undefined })) }) },
  { name: 'replaces no second member while one is not back', rule: 'rollout-waits', view: operations({ statefulSets: NEW, reports: [PRIMARY_REPORT, REPORTS[1]!] }) },
  {
    name: 'replaces no member while another lags beyond the bound', rule: 'rollout-waits',
    view: operations({
      statefulSets: NEW,
      reports: [
        { ...PRIMARY_REPORT, location: 9_000_000 }, report(NAMES[1], { receivedLocation: 9_000_000 }), REPORTS[2]!,
      ],
    }),
  },
  { name: 'replaces a standby first', rule: 'replace-standby', view: operations({ statefulSets: NEW }), action: { kind: 'EvictPod', pod: NAMES[1] } },
  {
    name: 'hands over when only the primary is on the old template', rule: 'hand-over-primary',
    view: operations({ statefulSets: NEW, pods: [pod(LEADER), current(NAMES[1]), current(NAMES[2])] }), action: { kind: 'Switchover', from: LEADER, to: NAMES[1] },
  },
  {
    name: 'does not hand over before the sync key names all standbys', rule: 'hand-over-waits', memory: WOKEN,
    view: operations({
      statefulSets: NEW, pods: [pod(LEADER), current(NAMES[1]), current(NAMES[2])],
      sync: { leader: LEADER, standbys: [NAMES[1]], quorum: 0 },
    }),
  },
  { name: 'restarts the only member', rule: 'replace-single', view: operations({ ...single, statefulSets: [statefulSet(LEADER, { updateRevision: 'r2' })] }), action: { kind: 'EvictPod', pod: LEADER, evenPrimary: true } },
  { name: 'rests when all is as it should be', rule: 'no-restart-pending', view: operations() },
  {
    name: 'restarts nobody while a member is not well', rule: 'restart-waits',
    view: operations({
      reports: [PRIMARY_REPORT, report(NAMES[1], { pendingRestart: RAISED }), report(NAMES[2], { streaming: false })],
    }),
  },
  {
    name: 'restarts the primary first for a lowered value', rule: 'restart-primary-lowered',
    view: operations({ reports: [PRIMARY_LOWERED, report(NAMES[1], { pendingRestart: LOWERED }), REPORTS[2]!] }),
    action: { kind: 'RestartMember', pod: LEADER, role: 'primary' },
  },
  {
    name: 'restarts standbys first for a raised value', rule: 'restart-standby',
    view: operations({ reports: [PRIMARY_RAISED, report(NAMES[1], { pendingRestart: RAISED }), REPORTS[2]!] }),
    action: { kind: 'RestartMember', pod: NAMES[1], role: 'replica' },
  },
  {
    name: 'hands over when only the primary waits', rule: 'restart-by-hand-over', view: operations({ reports: [{ ...PRIMARY_REPORT, pendingRestart: RAISED }, ...REPORTS.slice(1)] }),
    action: { kind: 'Switchover', from: LEADER, to: NAMES[1] },
  },
  { name: 'restarts the only member in place', rule: 'restart-single', view: operations({ ...single, reports: [{ ...PRIMARY_REPORT, pendingRestart: RAISED }] }), action: { kind: 'RestartMember', pod: LEADER } },
  {
    name: 'holds when nobody may take over', rule: 'restart-hand-over-waits', memory: WOKEN,
    view: operations({
      sync: { leader: LEADER, standbys: [], quorum: 0 }, reports: [PRIMARY_RAISED, ...REPORTS.slice(1)],
    }),
  },
];

for (const example of EXAMPLES) {
  test(`operations ${example.name}`, () => {
    const decision = decideOperations(example.view, example.memory ?? MEMORY, NOW_MS);
    assert.equal(decision.ruleId, example.rule, decision.because);
    assert.equal(decision.actions.length, example.action ? 1 : 0);
    const action = decision.actions[0] as Record<string, unknown> | undefined;
    for (const [key, value] of Object.entries(example.action ?? {})) assert.deepEqual(action?.[key], value);
    assert.match(decision.because, /^\S.*[.]$/);
  });
}

/** The row that an example is about, and before it those that went on to the next table. */
function rowsHit({ view, memory = MEMORY }: Example): string[] {
  const facts = gatherOperations(view, memory, NOW_MS);
  const fitting = OPERATIONS_TABLES.map(({ rows }) => rows.find((row) => row.matches(facts))!);
  return fitting.slice(0, fitting.findIndex((row) => !row.goOn) + 1).map((row) => row.id);
}

test('every row of the operations tables is hit by a named example', () => {
  const hit = new Set(EXAMPLES.flatMap(rowsHit));
  const ids = OPERATIONS_TABLES.flatMap((table) => table.rows.map((row) => row.id));
  assert.deepEqual(ids.filter((id) => !hit.has(id)), []);
});

test('row names are unique, because they are what Events and metrics are found by', () => {
  const ids = OPERATIONS_TABLES.flatMap((table) => table.rows.map((row) => row.id));
  assert.equal(new Set(ids).size, ids.length);
});

test('a value that was refused is not tried again until the contract says another one', () => {
  const refused: OperationsMemory = { ...MEMORY, refused: { max_connections: '500' } };
  const same = wanted({ max_connections: '500', work_mem: '4MB' });
  assert.equal(decideOperations(operations({ contract: same }), refused, 1e6).ruleId, 'no-restart-pending');
  const other = wanted({ max_connections: '200', work_mem: '4MB' });
  assert.equal(decideOperations(operations({ contract: other }), refused, 1e6).ruleId, 'config-differs');
});

test('only what PostgreSQL refused is remembered as refused, and the rest keeps its way back', () => {
  const before = { work_mem: '2MB', max_connections: '90' };
  const seen = operations({ refusals: [{ parameter: 'work_mem', error: 'invalid value' }] });
  const { memory } = decideOperations(seen, { ...MEMORY, before }, 1e6);
  assert.deepEqual(memory.refused, { work_mem: '4MB' });
  assert.deepEqual(memory.before, { max_connections: '90' });
});

test('what was refused is forgotten when nobody asks for it any more', () => {
  const { memory } = decideOperations(operations(), { ...MEMORY, refused: { work_mem: '999XB' } }, 1e6);
  assert.equal(memory.refused, undefined);
});

test('what was done for a member is forgotten as soon as it streams, so that the next trouble begins anew', () => {
  const mended = { [NAMES[1]]: 'restarted', [NAMES[2]]: 'rebuilt' } as const;
  const seen = operations({ reports: [PRIMARY_REPORT, report(NAMES[1], { streaming: false }), REPORTS[2]!] });
  assert.deepEqual(decideOperations(seen, { ...MEMORY, mended }, 1e6).memory.mended, { [NAMES[1]]: 'restarted' });
  assert.equal(decideOperations(operations(), { ...MEMORY, mended }, 1e6).memory.mended, undefined);
});

test('a restart for divergence is remembered, so that the next step is another one', () => {
  assert.deepEqual(decideOperations(standing('diverged', 6000), MEMORY, 1e6).memory.mended, { [NAMES[1]]: 'restarted' });
});

test('a standby that does not stream is looked at again within seconds, though nothing is to be done yet', () => {
  const status = { state: 'running', role: 'replica', timeline: 1, streaming: false, location: 1, pendingRestart: [], apiUrl: undefined };
  const seen = operations({ pods: [pod(LEADER), pod(NAMES[1], { status }), pod(NAMES[2])] });
  assert.ok(mayHaveWork(seen, MEMORY));
  assert.equal(decideOperations(seen, MEMORY, 1e6).checkAgainInMs, 2000);
});

test('the status says why a standby does not stream, and what was tried', () => {
  const { why } = judge({ ...standing('wal-gone', 0), pods: NAMES.map((name) => pod(name, { status: { state: 'running', role: 'replica', timeline: 1, streaming: name === NAMES[2], location: 1, pendingRestart: [], apiUrl: undefined } })) }, { [NAMES[1]]: 'rebuilt' });
  assert.equal(why, `${NAMES[1]} needs WAL that the primary no longer has, and reads no archive, also after it was copied anew from the primary; look at the log of ${NAMES[1]}`);
});

test('why nobody leads is told in the words of a member that does not begin', () => {
  const waiting = NAMES.map((name) => pod(name, { status: undefined, waitingFor: '2999-01-01 lies in the future.' }));
  const { phase, why } = judge(operations({ pods: waiting, leader: lease({ pod: undefined }) }));
  assert.equal(phase, 'NoPrimary');
  assert.equal(why, `nobody holds the lease; ${NAMES[0]} says: 2999-01-01 lies in the future.`);
});
