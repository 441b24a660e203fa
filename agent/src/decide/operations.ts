/** Planned work as one decision: the tables in their order, at most one action, and what to remember of it. */
import { diffConfig, valuesBefore } from './config-diff.js';
import { CONFIG_TABLE, RESTART_TABLE, mayBeRefused, takenBack } from './config.js';
import { GUARD_TABLE } from './guard.js';
import { HANDOVER_TABLE, REQUEST_TABLE, isOnCordoned } from './handover.js';
import { MEND_TABLE } from './mend.js';
import { gatherOperations, overcounted, uncounted, type OperationsFacts, type MemberFacts } from './operations-facts.js';
import { ROLLOUT_TABLE } from './rollout.js';
import { firstVerdict, type Verdict } from './rule-table.js';
import { SYNC_TABLE, stillWaking } from './sync.js';
import type { DynamicConfig, OperationsAction, OperationsMemory, OperationsSnapshot } from '../model/operations.js';

/**
 * What people ask for and what is about to be stopped comes before what can wait. Then configuration first, so that
 * members that are replaced come up with it, and one that a setting keeps from starting gets another one; members that
 * do not get on before the rolling change that waits for them; restarts last, since a replaced member needs none.
 */
export const OPERATIONS_TABLES = [
  REQUEST_TABLE, GUARD_TABLE, SYNC_TABLE, HANDOVER_TABLE, CONFIG_TABLE, MEND_TABLE, ROLLOUT_TABLE, RESTART_TABLE,
];

/** Between two looks at a standby that does not stream. */
const WATCHED_MS = 2000;

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
  if (action.kind === 'WakePatroni') {
    return { ...memory, waking: { sinceMs: memory.waking?.sinceMs ?? nowMs, lastMs: nowMs } };
  }
  return { ...memory, ...mending(memory, verdict), lastActionAtMs: nowMs };
}

/** What was done for a standby that did not get on, so that the next step is another one. */
function mending(memory: OperationsMemory, { ruleId, actions: [action] }: Verdict<OperationsAction>): OperationsMemory {
  if (action?.kind === 'RebuildMember') return { mended: { ...memory.mended, [action.pod]: 'rebuilt' } };
  const isRestart = ruleId === 'restart-standstill' && action?.kind === 'EvictPod';
  return isRestart ? { mended: { ...memory.mended, [action.pod]: 'restarted' } } : {};
}

function defined<K extends string, V>(key: K, value: V | undefined): { [Key in K]?: V } {
  return value === undefined ? {} : { [key]: value } as { [Key in K]?: V };
}

/** Those who stream are well; whoever stops again begins anew. */
function stillMending({ members }: OperationsFacts, memory: OperationsMemory): OperationsMemory {
  if (!memory.mended) return memory;
  const well = (pod: string) => members.some((member) => member.pod === pod && (member.streaming || member.primary));
  const left = Object.fromEntries(Object.entries(memory.mended).filter(([pod]) => !well(pod)));
  return { ...without(memory, 'mended'), ...(Object.keys(left).length > 0 ? { mended: left } : {}) };
}

export function decideOperations(
  snapshot: OperationsSnapshot, memory: OperationsMemory, nowMs: number,
): OperationsDecision {
  const facts = gatherOperations(snapshot, memory, nowMs);
  const verdict = firstVerdict(OPERATIONS_TABLES, facts);
  const isWatched = facts.members.some(isBehind) || mayBeMiscounted(facts);
  const checkAgainInMs = verdict.checkAgainInMs || (isWatched ? WATCHED_MS : 0);
  const kept = { ...without(stillMending(facts, memory), 'waking'), ...defined('waking', stillWaking(facts)) };
  return { ...verdict, checkAgainInMs, memory: nextMemory(snapshot, kept, verdict, nowMs) };
}

function primaryLeaves(facts: OperationsFacts): boolean {
  return facts.primary?.object?.deleting === true || isOnCordoned(facts, facts.primary);
}

/** A standby that runs and does not stream, as far as the watches tell. */
function isBehind({ listed, primary, object }: MemberFacts): boolean {
  if (!listed || primary || object?.container !== 'running') return false;
  return object.status !== undefined && !object.status.streaming;
}

/** As far as the watches tell. */
function mayBeMiscounted(facts: OperationsFacts): boolean {
  const missing = uncounted(facts, ({ object }) => object?.status?.streaming === true);
  return missing.length > 0 || overcounted(facts).length > 0;
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
  if (snapshot.switchoverRequest !== undefined || memory.mended) return true;
  const facts = gatherOperations(snapshot, memory, 0);
  if (primaryLeaves(facts) || mayBeMiscounted(facts)) return true;
  return facts.members.some((member) => memberMayHaveWork(member) || isBehind(member));
}

export function atRest(snapshot: OperationsSnapshot, memory: OperationsMemory): OperationsDecision {
  const verdict = { ruleId: 'no-restart-pending', because: 'All is as the contract says.', actions: [], checkAgainInMs: 0 };
  return { ...verdict, memory: nextMemory(snapshot, memory, verdict, 0) };
}
