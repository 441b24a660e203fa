/** One decision for a Galera cluster: the tables in their order, at most one action, and what to remember of it. */
import { gatherGalera, type GaleraFacts } from './facts.js';
import { GROUP_TABLE } from './group.js';
import {
  GALERA_GUARD_TABLE, GALERA_RESTART_TABLE, GALERA_ROLLOUT_TABLE, WRITER_REQUEST_TABLE, WRITER_TABLE,
} from './planned.js';
import { PROXY_TABLE } from './proxies.js';
import { BOOTSTRAP_REQUEST_TABLE, RECOVERY_TABLE } from './recovery.js';
import { asideKey, REJOIN_TABLE } from './rejoin.js';
import type { GaleraAction } from '../../model/galera/actions.js';
import type { GaleraMemory, GaleraSnapshot } from '../../model/galera/snapshot.js';
import { firstVerdict, type RuleTable, type Verdict } from '../rule-table.js';

/** What cannot wait for the Lease. */
const URGENT: ReadonlyArray<RuleTable<GaleraFacts, GaleraAction>> = [
  GROUP_TABLE, PROXY_TABLE, BOOTSTRAP_REQUEST_TABLE, RECOVERY_TABLE, REJOIN_TABLE,
];

/** Life first, then what people ask for, then what can wait. */
export const GALERA_TABLES: ReadonlyArray<RuleTable<GaleraFacts, GaleraAction>> = [
  ...URGENT, WRITER_REQUEST_TABLE, GALERA_GUARD_TABLE, WRITER_TABLE, GALERA_ROLLOUT_TABLE, GALERA_RESTART_TABLE,
];

/** After these things need a moment to show before the next planned step. */
const DISRUPTIVE: readonly GaleraAction['kind'][] = ['SetWriter', 'ReplaceMember', 'RestartServer', 'RetireMember'];
const REMEMBERED = 50;

export interface GaleraDecision extends Verdict<GaleraAction> {
  /** Of this look, before any action. */
  readonly memory: GaleraMemory;
  readonly facts: GaleraFacts;
}

export function decideGalera(
  snapshot: GaleraSnapshot, memory: GaleraMemory, nowMs: number, leads: boolean,
): GaleraDecision {
  const facts = gatherGalera(snapshot, memory, nowMs, leads);
  const verdict = firstVerdict(leads ? GALERA_TABLES : URGENT, facts);
  return { ...verdict, memory: facts.memory, facts };
}

const added = (list: readonly string[], item: string): string[] => [...list, item].slice(-REMEMBERED);

/** `refused`: the member has said no, and nothing was done there. */
export function afterGaleraAction(
  memory: GaleraMemory, action: GaleraAction, { refused, nowMs }: { readonly refused: boolean; readonly nowMs: number },
): GaleraMemory {
  // Once is enough: the uuid never comes back, and a survivor that did not take it will not take it again.
  if (action.kind === 'EvictFromGroup') return { ...memory, evicted: added(memory.evicted, action.gcomm) };
  if (action.kind === 'CarryOutGrant') {
    const answered = { id: action.grant.id, atMs: nowMs };
    return { ...memory, answered, ...(refused ? { refused: added(memory.refused, action.grant.id) } : {}) };
  }
  if (refused && action.kind === 'SetDataAside') {
    return { ...memory, refused: added(memory.refused, asideKey(action.target.member, action.target.bootId)) };
  }
  return DISRUPTIVE.includes(action.kind) ? { ...memory, lastActionAtMs: nowMs } : memory;
}
