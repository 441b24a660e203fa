/**
 * Patroni's dynamic configuration follows the contract; what needs a restart of PostgreSQL gets one, member by member.
 *
 * Order of restarts: a standby must never run with less shared memory than its primary has laid out, so a raised value
 * reaches standbys first, and a lowered one the primary first. The one write gap of a raise is a switchover: the old
 * primary comes back as a standby with its new values.
 */
import { diffConfig } from './config-diff.js';
import { notWell, pickCandidate, troubleOf, type MemberFacts, type OperationsFacts } from './operations-facts.js';
import type { Row, RuleTable } from './rule-table.js';
import type { PendingChange } from '../model/facts.js';
import type { DynamicConfig, OperationsAction, OperationsMemory, Refusal } from '../model/operations.js';

type OperationsRow = Row<OperationsFacts, OperationsAction>;

const WAIT_MS = 2000;
/** Patroni's members note a change and a pending restart within one round, 10 s at the most. */
const AFTER_PATCH_MS = 5000;

const holding = { then: () => [], actions: [] as string[], checkAgainInMs: () => WAIT_MS };

/** Their values are part of the data folder's control file: a standby with less than its primary cannot go on. */
const SHARED_MEMORY = ['max_connections', 'max_prepared_transactions', 'max_locks_per_transaction', 'max_wal_senders', 'max_worker_processes'];

const live = (f: OperationsFacts): DynamicConfig => f.snapshot.config as DynamicConfig;
const diff = (f: OperationsFacts) => diffConfig(live(f), f.snapshot.contract.patroni, f.memory);
const isPending = ({ report }: MemberFacts): boolean => (report?.pendingRestart.length ?? 0) > 0;
const pending = (f: OperationsFacts): MemberFacts[] => f.listed.filter(isPending);
const pendingStandby = (f: OperationsFacts) => pending(f).find((member) => !member.primary);
const primaryPends = (f: OperationsFacts) => pending(f).some((member) => member.primary);

function isLowered(change: PendingChange): boolean {
  return SHARED_MEMORY.includes(change.parameter) && Number(change.to) < Number(change.from);
}

function restart(f: OperationsFacts, member: MemberFacts): OperationsAction[] {
  return [{ kind: 'RestartMember', cluster: f.snapshot.cluster, pod: member.pod, uid: member.object!.uid, role: member.primary ? 'primary' : 'replica' }];
}

/** The parameters to take back after a member did not start with them. */
function wayBack(f: OperationsFacts): Record<string, string | null> {
  return f.memory.restartFailed ? { ...f.memory.before } : {};
}

/** Those that a reload did not bring into force, and that have a way back. */
function notTaken(f: OperationsFacts): readonly Refusal[] {
  const { refusals } = f.snapshot;
  return refusals === 'unknown' ? [] : refusals.filter(({ parameter }) => parameter in (f.memory.before ?? {}));
}

/** The parameters of a patch that takes back what PostgreSQL refused. */
export function takenBack(f: OperationsFacts): Record<string, string | null> {
  const refused = notTaken(f).map(({ parameter }) => [parameter, f.memory.before![parameter] ?? null] as const);
  return f.memory.restartFailed ? wayBack(f) : Object.fromEntries(refused);
}

export function mayBeRefused({ before }: OperationsMemory): boolean {
  return Object.keys(before ?? {}).length > 0;
}

const names = (members: readonly MemberFacts[]) => members.map((member) => member.pod).join(', ');
const parameters = (f: OperationsFacts) => [...new Set(pending(f).flatMap((member) => member.report!.pendingRestart.map((change) => change.parameter)))].join(', ');

const configRows: OperationsRow[] = [
  {
    id: 'parameter-refused',
    when: 'a member did not start with new values, and the old ones are known',
    matches: (f) => Object.keys(wayBack(f)).length > 0,
    then: (f) => [{
      kind: 'PatchConfig', cluster: f.snapshot.cluster, via: f.primary!.pod, expected: live(f),
      patch: { postgresql: { parameters: wayBack(f) } },
    }],
    because: (f) => `${f.memory.restartFailed} did not start with the new values; ${Object.keys(wayBack(f)).join(', ')} goes back to what it was.`,
    checkAgainInMs: () => AFTER_PATCH_MS,
    actions: ['PatchConfig'],
  },
  {
    id: 'parameter-not-taken',
    when: 'PostgreSQL does not take new values at a reload, and the old ones are known',
    matches: (f) => notTaken(f).length > 0,
    then: (f) => [{
      kind: 'PatchConfig', cluster: f.snapshot.cluster, via: f.primary!.pod, expected: live(f),
      patch: { postgresql: { parameters: takenBack(f) } },
    }],
    because: (f) => `PostgreSQL refuses ${notTaken(f).map(({ parameter, error }) => `${parameter} (${error})`).join(', ')}; it goes back to what it was.`,
    checkAgainInMs: () => AFTER_PATCH_MS,
    actions: ['PatchConfig'],
  },
  {
    id: 'config-differs',
    when: 'Patroni\'s dynamic configuration is not what the contract says',
    matches: (f) => diff(f) !== undefined,
    then: (f) => [{ kind: 'PatchConfig', cluster: f.snapshot.cluster, via: f.primary!.pod, expected: live(f), patch: diff(f)! }],
    because: () => 'Patroni\'s configuration is not what the contract says.',
    checkAgainInMs: () => AFTER_PATCH_MS,
    actions: ['PatchConfig'],
  },
  {
    id: 'config-current',
    when: 'anything else',
    matches: () => true,
    because: () => 'Patroni\'s configuration is what the contract says.',
    ...holding,
    goOn: true,
  },
];

const restartRows: OperationsRow[] = [
  {
    id: 'parameters-unchecked',
    // Before any restart: a value that is refused at a reload would keep the member from starting at all.
    when: 'whether PostgreSQL takes new values is not known yet',
    matches: (f) => mayBeRefused(f.memory) && f.snapshot.refusals === 'unknown',
    because: (f) => `Whether PostgreSQL takes ${Object.keys(f.memory.before!).join(', ')} is seen in a moment.`,
    ...holding,
  },
  {
    id: 'no-restart-pending',
    when: 'no member waits for a restart',
    matches: (f) => pending(f).length === 0,
    because: () => 'All is as the contract says.',
    ...holding,
    checkAgainInMs: () => 0,
  },
  {
    id: 'restart-waits',
    when: 'a member waits for a restart and another one is not well',
    matches: (f) => notWell(f).length > 0,
    because: (f) => `${parameters(f)} needs a restart, which waits: ${notWell(f).map(troubleOf).join(', ')}.`,
    ...holding,
  },
  {
    id: 'restart-primary-lowered',
    when: 'the primary waits with a lowered shared-memory setting',
    matches: (f) => f.primary!.report!.pendingRestart.some(isLowered),
    then: (f) => restart(f, f.primary!),
    because: (f) => `${parameters(f)} is lowered, which the primary ${f.primary!.pod} has to do before its standbys.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['RestartMember'],
  },
  {
    id: 'restart-standby',
    when: 'a standby waits for a restart and all members are well',
    matches: (f) => pendingStandby(f) !== undefined,
    then: (f) => restart(f, pendingStandby(f)!),
    because: (f) => `${parameters(f)} needs a restart; ${pendingStandby(f)!.pod} is next.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['RestartMember'],
  },
  {
    id: 'restart-by-hand-over',
    when: 'only the primary waits for a restart, and a candidate streams',
    matches: (f) => primaryPends(f) && pickCandidate(f) !== undefined,
    then: (f) => [{ kind: 'Switchover', cluster: f.snapshot.cluster, from: f.primary!.pod, to: pickCandidate(f)!.pod }],
    because: (f) => `${parameters(f)} needs a restart of ${f.primary!.pod}; ${pickCandidate(f)!.pod} takes over, with the new values.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['Switchover'],
  },
  {
    id: 'restart-single',
    when: 'the only member of the cluster waits for a restart',
    matches: (f) => f.listed.length === 1 && primaryPends(f),
    then: (f) => restart(f, f.primary!),
    because: (f) => `${parameters(f)} needs a restart, and ${f.primary!.pod} is the only member.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['RestartMember'],
  },
  {
    id: 'restart-hand-over-waits',
    when: 'anything else',
    matches: () => true,
    because: (f) => `${parameters(f)} needs a restart of ${names(pending(f))}, but no standby may take over now.`,
    ...holding,
  },
];

export const CONFIG_TABLE: RuleTable<OperationsFacts, OperationsAction> = {
  name: 'config',
  purpose: 'How Patroni\'s dynamic configuration follows the contract. Runs on the replica that holds the Lease.',
  rows: configRows,
};

export const RESTART_TABLE: RuleTable<OperationsFacts, OperationsAction> = {
  name: 'restart',
  purpose: 'Who restarts next for settings that need it. Runs on the replica that holds the Lease.',
  rows: restartRows,
};
