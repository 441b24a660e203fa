/**
 * `<cluster>-bootstraps`: what the agent has granted, stored by compare-and-swap before anything follows from it, and
 * the last bootstrap under which a component that may write was seen.
 */
import { bootstrapOf, type Bootstrap } from './member.js';
import { positionOf, type Position } from './position.js';
import { GALERA_RECORD_KEY } from '../../../../src/contract/galera.js';
import type { KubeObject } from '../../ports/kube.js';
import { numberOrNothing, parseJson, textOrNothing } from '../objects.js';

/**
 * `initial`: the first member of an empty cluster. `recovery`: no server runs, and this member has all that any had.
 * `promotion`: servers run without quorum, and all others are proven gone.
 */
export const GRANT_KINDS = ['initial', 'recovery', 'promotion'] as const;
export type GrantKind = typeof GRANT_KINDS[number];

export interface Grant {
  /** Made of the version of the record on which it was stored, so that no two are alike. */
  readonly id: string;
  readonly kind: GrantKind;
  /** Who may begin, and its process: a later one of that name may not. */
  readonly member: string;
  readonly bootId: string;
  /** Where it begins; none for a new cluster. */
  readonly position: Position | undefined;
  /** In which it was given. */
  readonly era: number;
  /** Of a promotion: who else ran in the same view. */
  readonly survivors: readonly string[];
  readonly at: string;
}

export interface BootstrapRecord {
  /** For compare-and-swap. */
  readonly resourceVersion: string;
  /** Oldest first. */
  readonly grants: readonly Grant[];
  readonly confirmed: Bootstrap | undefined;
  /** In which that was. */
  readonly era: number;
  /** The last grant when that was written: whether it was taken or not no longer matters. */
  readonly settled: string | undefined;
}

/** For people who look for what happened; decisions need the last one. */
const GRANTS_KEPT = 20;

type Json = Readonly<Record<string, unknown>>;

function grantOf(value: unknown): Grant | undefined {
  const item = value as Json;
  const [id, member, bootId] = [item.id, item.member, item.bootId].map(textOrNothing);
  const kind = GRANT_KINDS.find((each) => each === item.kind);
  if (!id || !member || !bootId || !kind) return undefined;
  const survivors = (Array.isArray(item.survivors) ? item.survivors : []).filter((name): name is string => typeof name === 'string');
  const era = numberOrNothing(item.era) ?? 0;
  return { id, kind, member, bootId, era, survivors, position: positionOf((item.position ?? {}) as Json), at: textOrNothing(item.at) ?? '' };
}

/** Before the first bootstrap there is none. */
function historyOf(object: KubeObject): Json | undefined {
  const text = (object as { data?: Record<string, string> }).data?.[GALERA_RECORD_KEY.history];
  return text === undefined ? { grants: [] } : parseJson(text);
}

/** Undefined: something in it cannot be read, so nothing may be concluded from it. */
export function bootstrapRecord(object: KubeObject): BootstrapRecord | undefined {
  const history = historyOf(object);
  if (!Array.isArray(history?.grants)) return undefined;
  const grants = history.grants.map(grantOf);
  const { confirmed } = history as { confirmed?: Bootstrap };
  const known = confirmed && bootstrapOf({ ...confirmed, ...confirmed.position });
  if (grants.includes(undefined) || (confirmed && !known)) return undefined;
  const settled = textOrNothing(history.settled);
  const era = numberOrNothing(history.era) ?? 0;
  return { resourceVersion: object.metadata.resourceVersion ?? '', grants: grants as Grant[], confirmed: known, era, settled };
}

/** The grant of which something may still come. */
export function openGrant({ grants, settled }: BootstrapRecord): Grant | undefined {
  const last = grants.at(-1);
  return last?.id === settled ? undefined : last;
}

export function historyText({ grants, confirmed, era, settled }: Omit<BootstrapRecord, 'resourceVersion'>): string {
  return `${JSON.stringify({ confirmed, era, settled, grants: grants.slice(-GRANTS_KEPT) }, undefined, 1)}\n`;
}
