/**
 * The primary goes elsewhere before somebody stops it, or because a person asks for it.
 *
 * From: the request on `<cluster>-status`, the primary's Pod, the members' own reports. Invariants: a request is
 * carried out or refused once; nobody takes over who would lose a row. Not here: the primary's own last try before its
 * Pod stops (member.py hand-over), which does not need the agent.
 */
import { candidates, pickCandidate, troubleOf, type MemberFacts, type OperationsFacts } from './operations-facts.js';
import type { Row, RuleTable } from './rule-table.js';
import type { OperationsAction } from '../model/operations.js';

type OperationsRow = Row<OperationsFacts, OperationsAction>;

/** The watches wake the loop earlier. */
const WAIT_MS = 1000;

const holding = { then: () => [], actions: [] as string[], checkAgainInMs: () => WAIT_MS };

const request = (f: OperationsFacts) => f.snapshot.switchoverRequest;

function named(f: OperationsFacts): MemberFacts | undefined {
  return f.listed.find((member) => member.name === request(f) || member.pod === request(f));
}

function target(f: OperationsFacts): MemberFacts | undefined {
  const able = candidates(f);
  return request(f) === 'any' ? able[0] : able.find((member) => member === named(f));
}

function objectionToMember(member: MemberFacts): string {
  if (member.primary) return `${member.name} is the primary already`;
  if (!member.promotable) return `${member.name} belongs to a group that never becomes primary`;
  if (!member.streaming) return troubleOf(member);
  return `${member.pod} streams, but Patroni does not count it as synchronous yet`;
}

/** In words for whoever asked. */
function objection(f: OperationsFacts): string {
  if (f.paused) return 'Patroni is paused';
  if (f.primary?.report?.role !== 'primary') return 'there is no primary that answers';
  if (request(f) === 'any') {
    const reasons = f.listed.filter((member) => !member.primary).map(objectionToMember).join(', ');
    return `no standby may take over now: ${reasons || 'there is none'}`;
  }
  const member = named(f);
  if (member) return objectionToMember(member);
  const names = f.listed.map(({ name }) => name).join(', ');
  return `there is no member ${JSON.stringify(request(f))}; name one of ${names}, or any`;
}

function switchover(f: OperationsFacts, to: MemberFacts): OperationsAction {
  return { kind: 'Switchover', cluster: f.snapshot.cluster, from: f.primary!.pod, to: to.pod };
}

export function isOnCordoned(f: OperationsFacts, member: MemberFacts | undefined): boolean {
  return member?.object?.node !== undefined && f.snapshot.cordoned.includes(member.object.node);
}

/** There is no hurry: all standbys are back first. */
function elsewhere(f: OperationsFacts): MemberFacts | undefined {
  return pickCandidate(f) && candidates(f).find((member) => !isOnCordoned(f, member));
}

/** Before the guard, whose rows would let a request wait for hours and then come true by surprise. */
const requestRow: OperationsRow = {
  id: 'request-refused',
  when: 'a person asks for a switchover that cannot be done now',
  matches: (f) => {
    const known = f.paused !== undefined && f.leader !== undefined && f.snapshot.pods !== 'unknown';
    return known && request(f) !== undefined && f.snapshot.failoverAsked === false
      && (f.paused === true || f.primary?.report?.role !== 'primary' || target(f) === undefined);
  },
  then: (f) => [{ kind: 'RefuseRequest', cluster: f.snapshot.cluster, request: request(f)!, reason: objection(f) }],
  because: (f) => `A switchover to ${request(f)} was asked for, but ${objection(f)}.`,
  checkAgainInMs: () => WAIT_MS,
  actions: ['RefuseRequest'],
};

const rows: OperationsRow[] = [
  {
    id: 'switchover-requested',
    when: 'a person asks for a switchover and the member may take over',
    matches: (f) => request(f) !== undefined && target(f) !== undefined,
    then: (f) => [{ ...switchover(f, target(f)!), request: request(f)! } as OperationsAction],
    because: (f) => `A switchover to ${request(f)} was asked for; ${target(f)!.pod} takes over from ${f.primary!.pod}.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['Switchover'],
  },
  {
    id: 'hand-over-leaving',
    when: 'the primary\'s Pod is to be stopped, and a standby may take over',
    matches: (f) => f.primary?.object?.deleting === true && candidates(f).length > 0,
    then: (f) => [switchover(f, candidates(f)[0]!)],
    because: (f) => `${f.primary!.pod} is being stopped; ${candidates(f)[0]!.pod} takes over before.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['Switchover'],
  },
  {
    id: 'leaving-without-heir',
    when: 'the primary\'s Pod is to be stopped, and nobody may take over',
    matches: (f) => f.primary?.object?.deleting === true,
    because: (f) => `${f.primary!.pod} is being stopped, and no standby may take over.`,
    ...holding,
  },
  {
    id: 'hand-over-cordoned',
    when: 'the primary\'s node is cordoned, and a standby on another node may take over',
    matches: (f) => isOnCordoned(f, f.primary) && elsewhere(f) !== undefined,
    then: (f) => [switchover(f, elsewhere(f)!)],
    because: (f) => `${f.primary!.object!.node} takes no new Pods any more; ${elsewhere(f)!.pod} takes over from ${f.primary!.pod}.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['Switchover'],
  },
  {
    id: 'primary-stays',
    when: 'anything else',
    matches: () => true,
    because: () => 'The primary is where it should be.',
    ...holding,
    goOn: true,
  },
];

const notAsked: OperationsRow = {
  id: 'nothing-refused',
  when: 'anything else',
  matches: () => true,
  because: () => 'Nobody asks for what cannot be done.',
  ...holding,
  goOn: true,
};

export const REQUEST_TABLE: RuleTable<OperationsFacts, OperationsAction> = {
  name: 'request',
  purpose: 'Which requests of people are refused. Runs on the replica that holds the Lease.',
  rows: [requestRow, notAsked],
};

export const HANDOVER_TABLE: RuleTable<OperationsFacts, OperationsAction> = {
  name: 'handover',
  purpose: 'When the primary is handed over apart from rolling changes. Runs on the replica that holds the Lease.',
  rows,
};
