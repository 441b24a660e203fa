/**
 * No component may write: which member begins again, once. From: the members' own word of servers, positions and
 * bootstraps, their containers, the record of grants. Invariants: one grant at a time, stored by compare-and-swap
 * before it is carried out, and bound to one process of one member; the next one only when that process is known to
 * be gone or has refused; servers that run are promoted only on proof that all others are gone and have no more;
 * whatever is unknown waits.
 *
 * Members that all wait and all answer come back without the agent too, some seconds later; this is sooner, and decides
 * what they do not.
 */
import { chooseBootstrap, type Choice } from './choice.js';
import { isGone, isWaiting, names, type GaleraFacts, type GaleraMemberFacts } from './facts.js';
import type { GaleraAction, MemberTarget } from '../../model/galera/actions.js';
import { numberOf } from '../../model/galera/member.js';
import { tellPosition, type Position } from '../../model/galera/position.js';
import { openGrant, type Grant } from '../../model/galera/record.js';
import type { Row, RuleTable } from '../rule-table.js';

type RecoveryRow = Row<GaleraFacts, GaleraAction>;

const LOOK_MS = 300;
/** A member that has taken a grant starts its server well within this. */
const ANSWER_MS = 5000;
const WAIT_MS = 1000;
/** A group whose members all run and see each other forms a component by itself well within this. */
const REFORM_MS = 10_000;
/** A container that has ended is back, and its member has recovered its position, within some seconds. */
const POSITIONS_MS = 6_000;
/** A view that has just changed is left to settle. */
const SETTLE_MS = 500;
/** A server that finds nobody gives up by itself after 34 s; one that waits for a copy that will not come need not. */
const WEDGED_MS = 60_000;

const holding = { then: () => [], actions: [] as string[], checkAgainInMs: () => WAIT_MS };

const silentSinceMs = (f: GaleraFacts) => f.nowMs - (f.memory.withoutPrimarySinceMs ?? f.nowMs);
const absent = (f: GaleraFacts) => f.listed.filter(({ report }) => !report);
const waiting = (f: GaleraFacts) => f.listed.filter(isWaiting);
/** Their servers run, and are in no component that may write. */
const survivors = (f: GaleraFacts) => f.listed.filter(({ report }) => report?.phase === 'nonprimary' && report.serverRuns);
const between = (f: GaleraFacts) => f.listed.filter((member) => member.report && !isWaiting(member) && member.report.phase !== 'nonprimary');
const holders = (f: GaleraFacts) => f.listed.filter(({ report }) => report?.phase === 'holding');
const others = (f: GaleraFacts) => f.listed.filter((member) => !survivors(f).includes(member));

// ---- the grant that was stored last

type GrantState = 'none' | 'ready' | 'unclear';

function isCarriedOut(f: GaleraFacts, { id }: Grant): boolean {
  return f.listed.some(({ report }) => report?.bootstrap?.id === id) || f.record?.confirmed?.id === id;
}

function stateOfGrantee(f: GaleraFacts, grant: Grant, member: GaleraMemberFacts): GrantState {
  const { report } = member;
  if (!report) return isGone(f, member) ? 'none' : 'unclear';
  if (report.bootId !== grant.bootId) return 'none';
  if (tellPosition(report.position) !== tellPosition(grant.position)) return 'none';
  if (grant.kind === 'promotion') return report.phase === 'nonprimary' ? 'ready' : 'none';
  return isWaiting(member) ? 'ready' : 'unclear';
}

/** `ready`: it may be carried out, or carried out again. `unclear`: it may have been, and nothing else may begin. */
export function stateOfGrant(f: GaleraFacts): GrantState {
  const grant = f.record && openGrant(f.record);
  if (!grant || isCarriedOut(f, grant)) return 'none';
  const member = f.listed.find(({ name }) => name === grant.member);
  const state = member ? stateOfGrantee(f, grant, member) : 'none';
  return state === 'ready' ? afterAnswer(f, grant) : state;
}

/** What the member has said shows in its state a moment later; another replica of the agent may have told it too. */
function afterAnswer({ memory, nowMs }: GaleraFacts, { id }: Grant): GrantState {
  if (memory.answered?.id !== id) return memory.refused.includes(id) ? 'none' : 'ready';
  if (nowMs - memory.answered.atMs < ANSWER_MS) return 'unclear';
  return memory.refused.includes(id) ? 'none' : 'ready';
}

function carryOut(f: GaleraFacts): GaleraAction[] {
  const grant = openGrant(f.record!)!;
  const { target } = f.listed.find(({ name }) => name === grant.member)!;
  return [{ kind: 'CarryOutGrant', cluster: f.snapshot.cluster, target: target!, grant }];
}

const grantee = (f: GaleraFacts) => f.record && openGrant(f.record)?.member;

// ---- a full stop

function choice(f: GaleraFacts): Choice | undefined {
  if (f.record === undefined || f.listed.length === 0 || waiting(f).length < f.listed.length) return undefined;
  return chooseBootstrap(f, f.record);
}

function targets(members: readonly GaleraMemberFacts[]): MemberTarget[] {
  return members.flatMap(({ target }) => target ?? []);
}

interface Wanted {
  readonly kind: Grant['kind'];
  readonly member: GaleraMemberFacts;
  readonly position: Position | undefined;
  readonly survivors?: readonly string[];
}

function grantTo(
  f: GaleraFacts, { kind, member, position, survivors: rest = [] }: Wanted, request?: string,
): GaleraAction[] {
  const { bootId, era } = member.report!;
  return [{
    kind: 'StoreGrant', cluster: f.snapshot.cluster, recordVersion: f.record!.resourceVersion,
    grant: { kind, member: member.name, bootId, era: era.number, position, survivors: rest },
    witnesses: targets(f.listed), ...(request === undefined ? {} : { request }),
  }];
}

// ---- servers without quorum

/** Every one of them has all of them in its view. */
function areTogether(f: GaleraFacts): boolean {
  const running = survivors(f);
  return running.every(({ report }) => running.every(({ name }) => report!.wsrep?.view[name] !== undefined));
}

/**
 * Not told, or lost: those that are gone may have gone on without the survivors before they went, so their positions
 * count as much as their end. An unfinished copy holds nothing of its own.
 */
const untold = (f: GaleraFacts) => others(f).filter((member) => {
  const { report } = member;
  if (!report || !isWaiting(member) || report.data === 'empty') return true;
  return report.data === 'present' && report.position === undefined;
});

/** The one with the most, of equals the first; the group brings the rest of them to the same point. */
function bestSurvivor(f: GaleraFacts): GaleraMemberFacts | undefined {
  const able = survivors(f).filter(({ report, target }) => report?.position !== undefined && target !== undefined);
  return able.reduce<GaleraMemberFacts | undefined>((best, next) => (
    best && best.report!.position!.seqno >= next.report!.position!.seqno ? best : next
  ), undefined);
}

/** A member that is down has more than any that runs: it must not be left out. */
function ahead(f: GaleraFacts): GaleraMemberFacts | undefined {
  const best = bestSurvivor(f)?.report;
  if (!best?.position) return undefined;
  return others(f).find(({ report }) => (
    report?.data === 'present' && report.position !== undefined
    && report.position.uuid === best.position!.uuid && report.position.seqno > best.position!.seqno
    && numberOf(report.bootstrap) >= numberOf(best.bootstrap)
  ));
}

function patience(f: GaleraFacts): number {
  if (others(f).length === 0) return REFORM_MS;
  return untold(f).length === 0 ? SETTLE_MS : POSITIONS_MS;
}

function promote(f: GaleraFacts, member = bestSurvivor(f)!, request?: string): GaleraAction[] {
  const rest = survivors(f).filter((other) => other !== member).map(({ name }) => name);
  return grantTo(f, { kind: 'promotion', member, position: member.report!.position, survivors: rest }, request);
}

const isQuorumLost = (f: GaleraFacts) => survivors(f).length > 0;
const unproven = (f: GaleraFacts) => others(f).filter((member) => !isGone(f, member));

const recovery: RecoveryRow[] = [
  {
    id: 'component-serves',
    when: 'a member is in a component that may write',
    matches: (f) => f.primaries.length > 0,
    because: (f) => `${names(f.primaries)} may write.`,
    ...holding,
    goOn: true,
  },
  {
    id: 'recovery-view-unknown',
    when: 'the Pods or the record of bootstraps cannot be read',
    matches: (f) => f.snapshot.pods === 'unknown' || f.record === undefined,
    because: () => 'The Pods or the record of bootstraps cannot be read, so nobody is let begin.',
    ...holding,
  },
  {
    id: 'members-hold',
    when: 'a restore in place, or the way back, is declared, and a member holds for it',
    matches: (f) => holders(f).length > 0,
    because: (f) => `${names(holders(f))} runs no server: ${holders(f)[0]!.report!.because}.`,
    ...holding,
  },
  {
    id: 'grant-ready',
    when: 'a grant is stored, and its member is as it was when it was given',
    matches: (f) => stateOfGrant(f) === 'ready',
    then: carryOut,
    because: (f) => `${grantee(f)} has the grant and begins.`,
    checkAgainInMs: () => LOOK_MS,
    actions: ['CarryOutGrant'],
  },
  {
    id: 'grant-unclear',
    when: 'a grant is stored, and its member is at work or tells nothing',
    matches: (f) => stateOfGrant(f) === 'unclear',
    because: (f) => `${grantee(f)} has the grant and may have begun; nobody else may until it is known.`,
    checkAgainInMs: () => LOOK_MS,
    ...{ then: () => [], actions: [] },
  },
  {
    id: 'server-wedged',
    when: 'for a minute there is no component, and a server starts or joins all the while',
    matches: (f) => silentSinceMs(f) > WEDGED_MS && stuck(f) !== undefined,
    then: (f) => [{ kind: 'StopServer', cluster: f.snapshot.cluster, target: stuck(f)!.target! }],
    because: (f) => `${stuck(f)!.name} waits for a component that nobody makes; it is stopped, so that its position counts.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['StopServer'],
  },
  {
    id: 'member-between',
    when: 'a member starts, stops or recovers its position',
    matches: (f) => between(f).length > 0,
    because: (f) => `${between(f).map(({ name, report }) => `${name} is ${report!.phase}`).join(', ')}.`,
    checkAgainInMs: () => LOOK_MS,
    ...{ then: () => [], actions: [] },
  },
  {
    id: 'quorum-unclear',
    when: 'servers run without quorum, and of another member it is not proven that it is gone',
    matches: (f) => isQuorumLost(f) && unproven(f).length > 0,
    because: (f) => `${names(survivors(f))} lost the quorum, and ${names(unproven(f))} may serve elsewhere: nothing is known of it.`,
    ...holding,
  },
  {
    id: 'survivors-apart',
    when: 'servers run without quorum and do not see each other',
    matches: (f) => isQuorumLost(f) && !areTogether(f),
    because: (f) => `${names(survivors(f))} run without quorum and do not see each other.`,
    ...holding,
  },
  {
    id: 'quorum-settles',
    when: 'the quorum was lost a moment ago, or the positions of those that are gone may still come',
    matches: (f) => isQuorumLost(f) && (silentSinceMs(f) < patience(f) || !bestSurvivor(f)),
    because: (f) => `${names(survivors(f))} lost the quorum; ${others(f).length === 0 ? 'the group may form again by itself' : `the position of ${names(others(f))} is waited for`}.`,
    checkAgainInMs: () => LOOK_MS,
    ...{ then: () => [], actions: [] },
  },
  {
    id: 'survivor-behind',
    when: 'a member that is down has more than those that run',
    matches: (f) => isQuorumLost(f) && ahead(f) !== undefined,
    then: (f) => survivors(f).slice(0, 1).map(({ target }) => ({ kind: 'StopServer' as const, cluster: f.snapshot.cluster, target: target! })),
    because: (f) => `${ahead(f)!.name} has more than ${names(survivors(f))}, so these stop, and all positions are compared.`,
    checkAgainInMs: () => LOOK_MS,
    actions: ['StopServer'],
  },
  {
    id: 'quorum-untold',
    when: 'servers run without quorum, and the position of another member, though proven gone, is not known',
    matches: (f) => isQuorumLost(f) && untold(f).length > 0,
    because: (f) => `${names(survivors(f))} lost the quorum, and ${names(untold(f))} may have gone on before it went: a person has to say who begins.`,
    ...holding,
  },
  {
    id: 'promote-survivor',
    when: 'servers run without quorum, and all others are proven gone and have no more',
    matches: isQuorumLost,
    then: (f) => promote(f),
    because: (f) => `${names(survivors(f))} lost the quorum${others(f).length > 0 ? `, and ${names(others(f))} is down and has no more` : ''}: ${bestSurvivor(f)!.name} makes a new component.`,
    checkAgainInMs: () => LOOK_MS,
    actions: ['StoreGrant'],
  },
  {
    id: 'members-missing',
    when: 'no server runs, and a member tells nothing',
    matches: (f) => absent(f).length > 0,
    because: (f) => `Nobody serves, and the position of ${names(absent(f))} is not known: it may have what the others have not.`,
    ...holding,
  },
  {
    id: 'choice-unclear',
    when: 'all members wait, and who may begin is not clear',
    matches: (f) => choice(f)?.kind === 'none',
    because: (f) => `Nobody serves, and a person has to say who begins: ${(choice(f) as { why: string }).why}.`,
    ...holding,
  },
  {
    id: 'begin-new',
    when: 'all volumes are empty and always were',
    matches: (f) => choice(f)?.kind === 'initial',
    then: (f) => grantTo(f, choice(f) as Wanted),
    because: (f) => `All volumes are empty: ${(choice(f) as Wanted).member.name} makes the new cluster.`,
    checkAgainInMs: () => LOOK_MS,
    actions: ['StoreGrant'],
  },
  {
    id: 'begin-newest',
    when: 'all members have told their positions, and one is the highest',
    matches: (f) => choice(f)?.kind === 'recovery',
    then: (f) => grantTo(f, choice(f) as Wanted),
    because: (f) => `Nobody serves; ${(choice(f) as Wanted).member.name} has the highest position, ${(choice(f) as Wanted).position!.seqno}, and begins.`,
    checkAgainInMs: () => LOOK_MS,
    actions: ['StoreGrant'],
  },
  {
    id: 'nobody-to-begin',
    when: 'anything else',
    matches: () => true,
    because: () => 'Nobody serves, and there is nobody who could begin.',
    ...holding,
  },
];

function stuck(f: GaleraFacts): GaleraMemberFacts | undefined {
  return f.listed.find(({ report, target }) => target && report?.serverRuns && (report.phase === 'starting' || report.phase === 'joining'));
}

export const RECOVERY_TABLE: RuleTable<GaleraFacts, GaleraAction> = {
  name: 'galera recovery',
  purpose: 'Who begins when no member may write. Runs on every replica of the agent; the record decides between them.',
  rows: recovery,
};

// ---- what a person asks for

/** `orders-2@1234`: the member, and the position that the person has seen. `orders-1@new`: a new, empty cluster. */
function asked(f: GaleraFacts): { member: GaleraMemberFacts | undefined; at: string } | undefined {
  const match = f.snapshot.bootstrapRequest?.match(/^(.+)@(new|\d+)$/);
  return match ? { member: f.listed.find(({ name }) => name === match[1]), at: match[2]! } : undefined;
}

function objectionToAsked(f: GaleraFacts): string | undefined {
  const wanted = asked(f);
  if (!wanted) return 'it is not of the form MEMBER@SEQNO, or MEMBER@new for an empty cluster';
  const { member, at } = wanted;
  if (!member) return `there is no such member; there are ${names(f.listed)}`;
  if (f.primaries.length > 0) return `${names(f.primaries)} serves`;
  if (f.record === undefined) return 'the record of bootstraps cannot be read';
  if (between(f).length > 0) return between(f).map(({ name, report }) => `${name} is ${report!.phase}`).join(', ');
  if (stateOfGrant(f) === 'unclear') return `${grantee(f)} may have begun`;
  return objectionToSurvivors(f, member) ?? objectionToData(member, at);
}

/** While servers run, one of them begins; and what may serve elsewhere has to be proven gone first. */
function objectionToSurvivors(f: GaleraFacts, member: GaleraMemberFacts): string | undefined {
  if (!isQuorumLost(f)) return undefined;
  if (!survivors(f).includes(member)) return `${names(survivors(f))} runs`;
  if (unproven(f).length > 0) return `${names(unproven(f))} may serve elsewhere; declare its node dead, or end it`;
  return areTogether(f) ? undefined : `${names(survivors(f))} do not see each other`;
}

function objectionToData({ name, report }: GaleraMemberFacts, at: string): string | undefined {
  if (!report) return `${name} does not answer`;
  const now = report.data === 'empty' ? 'new' : String(report.position?.seqno ?? 'an unknown position');
  if (report.data === 'incomplete') return `${name} has only an unfinished copy`;
  return now === at ? undefined : `${name} is at ${now}, not at ${at}`;
}

function requested(f: GaleraFacts): GaleraAction[] {
  const { member } = asked(f)!;
  const { report } = member!;
  if (survivors(f).includes(member!)) return promote(f, member, f.snapshot.bootstrapRequest);
  return grantTo(f, {
    kind: report!.data === 'empty' ? 'initial' : 'recovery', member: member!, position: report!.position,
  }, f.snapshot.bootstrapRequest);
}

const isAsked = (f: GaleraFacts) => f.leads && f.snapshot.bootstrapRequest !== undefined && f.snapshot.pods !== 'unknown';

const bootstrapRequests: RecoveryRow[] = [
  {
    id: 'bootstrap-refused',
    when: 'a person asks for a bootstrap that may not be',
    matches: (f) => isAsked(f) && objectionToAsked(f) !== undefined,
    then: (f) => [{ kind: 'RefuseGaleraRequest', cluster: f.snapshot.cluster, what: 'bootstrap', request: f.snapshot.bootstrapRequest!, reason: objectionToAsked(f)! }],
    because: (f) => `A bootstrap of ${f.snapshot.bootstrapRequest} was asked for, but ${objectionToAsked(f)}.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['RefuseGaleraRequest'],
  },
  {
    id: 'bootstrap-requested',
    when: 'a person names the member that begins, and its position as it is',
    matches: isAsked,
    then: requested,
    because: (f) => `A person has decided that ${asked(f)!.member!.name} begins; what only others have stays aside.`,
    checkAgainInMs: () => LOOK_MS,
    actions: ['StoreGrant'],
  },
  {
    id: 'no-bootstrap-asked',
    when: 'anything else',
    matches: () => true,
    because: () => 'Nobody asks for a bootstrap.',
    ...holding,
    goOn: true,
  },
];

export const BOOTSTRAP_REQUEST_TABLE: RuleTable<GaleraFacts, GaleraAction> = {
  name: 'galera bootstrap request',
  purpose: 'A bootstrap that a person asks for. Runs on the replica that holds the Lease.',
  rows: bootstrapRequests,
};
