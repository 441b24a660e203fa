/** Planned work as one decision: the tables in their order, at most one action, and what to remember of it. */
import { diffConfig, valuesBefore } from './config-diff.js';
import { CONFIG_TABLE, RESTART_TABLE, mayBeRefused, takenBack } from './config.js';
import { GUARD_TABLE } from './guard.js';
import { HANDOVER_TABLE, REQUEST_TABLE, isOnCordoned } from './handover.js';
import { gatherOperations, type OperationsFacts, type MemberFacts } from './operations-facts.js';
import { ROLLOUT_TABLE } from './rollout.js';
import { firstVerdict, type Verdict } from './rule-table.js';
import type { DynamicConfig, OperationsAction, OperationsMemory, OperationsSnapshot } from '../model/operations.js';

/**
 * What people ask for and what is about to be stopped comes before what can wait. Then configuration first, so that
 * members that are replaced come up with it; restarts last, since a replaced member needs none.
 */
export const OPERATIONS_TABLES = [
  REQUEST_TABLE, GUARD_TABLE, HANDOVER_TABLE, CONFIG_TABLE, ROLLOUT_TABLE, RESTART_TABLE,
];

export interface OperationsDecision extends Verdict<OperationsAction> {
  /** In force once the action is done. */
  readonly memory: OperationsMemory;
}

function without<T extends object, K extends keyof T>(value: T, ...keys: K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key as K))) as Omit<T, K>;
}

function afterPatch(facts: OperationsFacts, patch: Readonly<Record<string, unknown>>): OperationsMemory {
  const { snapshot, memory, nowMs } = facts;
  const wanted = snapshot.contract.patroni.postgresql.parameters;
  const back = Object.keys(takenBack(facts));
  if (back.length > 0) {
    const refused = Object.fromEntries(back.map((name) => [name, wanted[name] ?? '']));
    const before = Object.fromEntries(Object.entries(memory.before ?? {}).filter(([name]) => !back.includes(name)));
    return { ...without(memory, 'restartFailed'), before, patchedAtMs: nowMs, refused: { ...memory.refused, ...refused } };
  }
  const before = { ...valuesBefore(snapshot.config as DynamicConfig, patch), ...memory.before };
  return { ...memory, managedParameters: Object.keys(wanted).sort(), before, patchedAtMs: nowMs };
}

/** The new values are in force: the way back is not needed, nor what is said of values that nobody asks for now. */
function settled(snapshot: OperationsSnapshot, memory: OperationsMemory): OperationsMemory {
  const wanted = snapshot.contract.patroni.postgresql.parameters;
  const stillWanted = Object.entries(memory.refused ?? {}).filter(([name, value]) => wanted[name] === value);
  const refused = Object.fromEntries(stillWanted);
  return { ...without(memory, 'before', 'patchedAtMs', 'refused'), ...(Object.keys(refused).length > 0 ? { refused } : {}) };
}

function nextMemory(
  snapshot: OperationsSnapshot, memory: OperationsMemory, verdict: Verdict<OperationsAction>, nowMs: number,
): OperationsMemory {
  const [action] = verdict.actions;
  if (!action) {
    const kept = verdict.ruleId === 'no-restart-pending' ? settled(snapshot, memory) : memory;
    const { parameters } = snapshot.contract.patroni.postgresql;
    return kept.managedParameters ? kept : { ...kept, managedParameters: Object.keys(parameters).sort() };
  }
  if (action.kind === 'PatchConfig') return afterPatch(gatherOperations(snapshot, memory, nowMs), action.patch);
  if (action.kind === 'ResumePoolers') return without(memory, 'poolersPaused');
  if (action.kind === 'RefuseRequest') return memory;
  return { ...memory, lastActionAtMs: nowMs };
}

export function decideOperations(
  snapshot: OperationsSnapshot, memory: OperationsMemory, nowMs: number,
): OperationsDecision {
  const verdict = firstVerdict(OPERATIONS_TABLES, gatherOperations(snapshot, memory, nowMs));
  return { ...verdict, memory: nextMemory(snapshot, memory, verdict, nowMs) };
}

function primaryLeaves(facts: OperationsFacts): boolean {
  return facts.primary?.object?.deleting === true || isOnCordoned(facts, facts.primary);
}

function memberMayHaveWork({ listed, statefulSet, template, object }: MemberFacts): boolean {
  if (!listed) return (statefulSet?.replicas ?? 0) > 0;
  return template !== 'current' || (object?.status?.pendingRestart.length ?? 0) > 0;
}

/**
 * Whether the watches show anything that planned work could be needed for. Only then are the members themselves asked.
 */
export function mayHaveWork(snapshot: OperationsSnapshot, memory: OperationsMemory): boolean {
  if (memory.restartFailed !== undefined || memory.poolersPaused || mayBeRefused(memory)) return true;
  if (snapshot.config !== 'unknown' && diffConfig(snapshot.config, snapshot.contract.patroni, memory)) return true;
  if (snapshot.switchoverRequest !== undefined) return true;
  const facts = gatherOperations(snapshot, memory, 0);
  return primaryLeaves(facts) || facts.members.some(memberMayHaveWork);
}

export function atRest(snapshot: OperationsSnapshot, memory: OperationsMemory): OperationsDecision {
  const verdict = { ruleId: 'no-restart-pending', because: 'All is as the contract says.', actions: [], checkAgainInMs: 0 };
  return { ...verdict, memory: nextMemory(snapshot, memory, verdict, 0) };
}
