/** What a member of a Galera cluster says about itself (`/state`). Whatever is missing or odd is unknown. */
import { numberOrNothing, parseJson, textOrNothing } from '../objects.js';
import { positionOf, type Position } from './position.js';
import type { DatabasesStatus, LoginStatus } from '../status.js';

export const PHASES = [
  'recovering', 'holding', 'waiting', 'starting', 'joining', 'synced', 'donor', 'nonprimary', 'stopping',
] as const;
export type MemberPhase = typeof PHASES[number];

/** `incomplete`: a copy from another member was begun and has not come to its end. */
export type DataState = 'empty' | 'present' | 'incomplete';

/** Each time that a component that may write was made by decision; the next one has the next number. */
export interface Bootstrap {
  readonly n: number;
  readonly id: string;
  readonly position: Position | undefined;
  readonly member: string;
}

/**
 * Each restore in place, and each way back behind it, begins a new one: data of an earlier era never count beside those
 * of a later one, and numbers of bootstraps begin anew.
 */
export interface Era {
  readonly number: number;
  /** What began it; nothing for the first. */
  readonly by: string;
}

export interface WsrepFacts {
  /** It belongs to the one component that may write. */
  readonly primary: boolean;
  readonly ready: boolean;
  /** 4: Synced; 2: it gives a copy to another one, and takes writes. */
  readonly state: number | undefined;
  /** By which the group knows this process; another one after each start. */
  readonly gcomm: string | undefined;
  /** Of the last known view: member -> gcomm uuid. A dead one is in it until the group gives it up. */
  readonly view: Readonly<Record<string, string>>;
}

export interface WriterRow {
  readonly member: string;
  readonly epoch: number;
}

export interface GaleraReport {
  readonly member: string;
  /** When it was said, at the latest. */
  readonly takenAtMs: number;
  /** Of the script that is the server's parent: another one after each start of the container. */
  readonly bootId: string;
  readonly phase: MemberPhase;
  readonly because: string;
  /** It waits for somebody else's decision. */
  readonly ambiguous: boolean;
  /** A process of the server lives; its parent sees its end at once. */
  readonly serverRuns: boolean;
  readonly data: DataState;
  readonly position: Position | undefined;
  /** What its volume has been through. */
  readonly era: Era;
  /** The last one that its data have followed. */
  readonly bootstrap: Bootstrap | undefined;
  /** Who was with it when it was last in a component that may write. */
  readonly lastView: readonly string[];
  readonly wsrep: WsrepFacts | undefined;
  readonly writer: WriterRow | undefined;
  readonly drained: boolean;
  readonly desynced: boolean;
  readonly pendingRestart: readonly string[];
  /** Only the writer says how databases and users are. */
  readonly declared: DatabasesStatus | undefined;
}

type Json = Readonly<Record<string, unknown>>;

function record(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

export function bootstrapOf(value: unknown): Bootstrap | undefined {
  const { n, id, member, ...position } = record(value);
  const [knownId, knownMember] = [textOrNothing(id), textOrNothing(member)];
  if (typeof n !== 'number' || !knownId || !knownMember) return undefined;
  return { n, id: knownId, member: knownMember, position: positionOf(position) };
}

function viewOf(members: unknown): Record<string, string> {
  const entries = (Array.isArray(members) ? members : []).map(record).flatMap(({ name, gcommUuid }) => (
    typeof name === 'string' && typeof gcommUuid === 'string' ? [[name, gcommUuid] as const] : []
  ));
  return Object.fromEntries(entries);
}

/** Scripts from before there were eras tell none. */
function eraOf(value: unknown): Era {
  const { number, by } = record(value);
  return { number: numberOrNothing(number) ?? 0, by: textOrNothing(by) ?? '' };
}

function wsrepOf(value: unknown): WsrepFacts | undefined {
  const { clusterStatus, ready, localState, gcommUuid, members } = record(value);
  if (typeof clusterStatus !== 'string') return undefined;
  return {
    primary: clusterStatus === 'Primary', ready: ready === true, state: numberOrNothing(localState),
    gcomm: textOrNothing(gcommUuid) || undefined, view: viewOf(members),
  };
}

function writerOf(value: unknown): WriterRow | undefined {
  const { member, epoch } = record(value);
  return typeof member === 'string' && typeof epoch === 'number' ? { member, epoch } : undefined;
}

/** Of both at once the worse is true. */
function dataOf({ dataEmpty, sstIncomplete }: Json): DataState {
  if (sstIncomplete !== false) return 'incomplete';
  return dataEmpty === true ? 'empty' : 'present';
}

/** A position whose source is not known is none, whatever its numbers say. */
function knownPosition(value: unknown): Position | undefined {
  const position = record(value);
  return position.source === 'unknown' ? undefined : positionOf(position);
}

/** Without a word on it there may be one; and one that is about to start has no number yet. */
function mayRun(phase: MemberPhase, answer: Json): boolean {
  return phase === 'starting' || phase === 'joining' || !('server' in answer) || record(answer.server).pid !== null;
}

function listOf<T>(value: unknown, read: (item: Json) => T | undefined): T[] {
  return (Array.isArray(value) ? value : []).flatMap((item) => read(record(item)) ?? []);
}

function loginOf({ role, login, secret, rotatedAt, nextRotation }: Json): LoginStatus | undefined {
  if (typeof role !== 'string' || typeof login !== 'string' || typeof secret !== 'string') return undefined;
  return { role, login, secret, rotatedAt: textOrNothing(rotatedAt), nextRotation: textOrNothing(nextRotation) };
}

function declaredOf(value: unknown): DatabasesStatus | undefined {
  const { checkedAt, problems, logins } = record(value);
  if (typeof checkedAt !== 'string' || !Array.isArray(problems)) return undefined;
  const found = listOf(problems, ({ what, why }) => (
    typeof what === 'string' && typeof why === 'string' ? { what, why } : undefined
  ));
  return { inStep: problems.length === 0, checkedAt, problems: found, logins: listOf(logins, loginOf) };
}

/** Undefined: it is no answer of that member. */
export function parseGaleraReport(member: string, text: string, takenAtMs: number): GaleraReport | undefined {
  const answer = parseJson(text);
  const bootId = textOrNothing(answer?.bootId);
  const phase = PHASES.find((each) => each === answer?.phase);
  if (!answer || !bootId || !phase || answer.member !== member) return undefined;
  return {
    member, takenAtMs, bootId, phase,
    because: textOrNothing(answer.because) ?? '',
    ambiguous: answer.ambiguous === true,
    serverRuns: mayRun(phase, answer),
    data: dataOf(answer),
    position: knownPosition(answer.position),
    era: eraOf(answer.era),
    bootstrap: bootstrapOf(answer.lastBootstrap),
    lastView: texts(record(answer.lastPrimaryView).members),
    wsrep: wsrepOf(answer.wsrep),
    writer: writerOf(answer.writer),
    drained: answer.drained === true, desynced: answer.desynced === true,
    pendingRestart: texts(answer.pendingRestart),
    declared: declaredOf(answer.declared),
  };
}

/** No process of the server lives there, so nothing is written there, and what it has does not change. */
export function isStill({ phase, serverRuns }: GaleraReport): boolean {
  return phase === 'waiting' && !serverRuns;
}

/** Its server has ended, whatever it does next. */
export function isDown({ phase, serverRuns }: GaleraReport): boolean {
  return !serverRuns || phase === 'waiting' || phase === 'recovering';
}

export function isInPrimary({ serverRuns, wsrep }: GaleraReport): boolean {
  return serverRuns && wsrep?.primary === true;
}

/** In the component that may write, with all that was written. */
export function isSynced(report: GaleraReport): boolean {
  return isInPrimary(report) && report.phase === 'synced' && report.wsrep!.ready && report.wsrep!.state === 4;
}

/** Under a later decision than that one. */
export function isLater({ era, bootstrap }: Followed, than: Followed): boolean {
  if (era.number !== than.era.number) return era.number > than.era.number;
  return numberOf(bootstrap) > numberOf(than.bootstrap);
}

/** What data have followed. */
export type Followed = Pick<GaleraReport, 'era' | 'bootstrap'>;

export function numberOf(bootstrap: Bootstrap | undefined): number {
  return bootstrap?.n ?? 0;
}
