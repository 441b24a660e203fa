/**
 * Planned work in a Galera cluster: the writer goes elsewhere before somebody stops it, members on an old template are
 * replaced, new settings get their restart, members that the contract no longer lists go.
 *
 * Invariants: one member at a time, and only while all others are synced; the writer last, and handed over first; a
 * member that does not come up stops everything until its template changes again. Not here: a Pod that is being
 * stopped, whose own script hands the writer over.
 */
import { galeraTrouble, names, type GaleraFacts, type GaleraMemberFacts } from './facts.js';
import type { GaleraAction, MemberTarget } from '../../model/galera/actions.js';
import type { Row, RuleTable } from '../rule-table.js';

type PlannedRow = Row<GaleraFacts, GaleraAction>;

/** A change of a Pod takes seconds to show; the watches wake the loop earlier. */
const WAIT_MS = 2000;
/** Proxies follow a new writer, and the old one's sessions end, within this. */
const SETTLE_MS = 2500;

const holding = { then: () => [], actions: [] as string[], checkAgainInMs: () => WAIT_MS };

const isWriter = (f: GaleraFacts, member: GaleraMemberFacts) => member === f.writer;
const isOnCordoned = (f: GaleraFacts, member: GaleraMemberFacts) => (
  member.object?.node !== undefined && f.snapshot.cordoned.includes(member.object.node)
);
const notWell = (f: GaleraFacts) => f.listed.filter(({ synced }) => !synced);
const reasons = (members: readonly GaleraMemberFacts[]) => members.map(galeraTrouble).join(', ');

/** Who could be the writer: a current template and a node that stays come first, so that it need not move again. */
export function heirs(f: GaleraFacts): GaleraMemberFacts[] {
  const able = f.listed.filter((member) => {
    const { report, object } = member;
    if (isWriter(f, member) || !member.promotable || !member.synced || object?.deleting !== false) return false;
    return !report!.drained && !report!.desynced;
  });
  const rank = (member: GaleraMemberFacts) => (
    (isOnCordoned(f, member) ? 4 : 0) + (member.template === 'current' ? 0 : 2) + (member.report!.pendingRestart.length > 0 ? 1 : 0)
  );
  return able.sort((a, b) => rank(a) - rank(b));
}

function handOver(f: GaleraFacts, to: GaleraMemberFacts, request?: string): GaleraAction[] {
  const { member: from, epoch } = f.writerRow!;
  return [{
    kind: 'SetWriter', cluster: f.snapshot.cluster, from, to: to.name, epoch, via: to.target!,
    ...(request === undefined ? {} : { request }),
  }];
}

// ---- requests

const request = (f: GaleraFacts) => f.snapshot.writerRequest;
const named = (f: GaleraFacts) => f.listed.find(({ name, pod }) => name === request(f) || pod === request(f));
const target = (f: GaleraFacts) => (request(f) === 'any' ? heirs(f)[0] : heirs(f).find((member) => member === named(f)));

function objectionToMember(f: GaleraFacts, member: GaleraMemberFacts): string {
  if (isWriter(f, member)) return `${member.name} is the writer already`;
  if (!member.promotable) return `${member.name} belongs to a group that never takes writes`;
  if (member.report?.drained) return `${member.name} is drained`;
  if (member.report?.desynced) return `${member.name} is desynced`;
  return galeraTrouble(member);
}

/** In words for whoever asked. */
function objection(f: GaleraFacts): string {
  if (!f.writerRow) return 'no member is the writer now';
  if (request(f) === 'any') {
    const why = f.listed.filter((member) => !isWriter(f, member)).map((member) => objectionToMember(f, member)).join(', ');
    return `no member may take over now: ${why || 'there is none'}`;
  }
  const member = named(f);
  return member ? objectionToMember(f, member) : `there is no member ${JSON.stringify(request(f))}; name one of ${names(f.listed)}, or any`;
}

export const WRITER_REQUEST_TABLE: RuleTable<GaleraFacts, GaleraAction> = {
  name: 'galera writer request',
  purpose: 'Which requests for another writer are refused. Runs on the replica that holds the Lease.',
  rows: [
    {
      id: 'writer-refused',
      when: 'a person asks for another writer, and it cannot be done now',
      matches: (f) => request(f) !== undefined && f.snapshot.pods !== 'unknown' && (!f.writerRow || !target(f)),
      then: (f) => [{ kind: 'RefuseGaleraRequest', cluster: f.snapshot.cluster, what: 'writer', request: request(f)!, reason: objection(f) }],
      because: (f) => `${request(f)} was to be the writer, but ${objection(f)}.`,
      checkAgainInMs: () => WAIT_MS,
      actions: ['RefuseGaleraRequest'],
    },
    {
      id: 'no-writer-refused',
      when: 'anything else',
      matches: () => true,
      because: () => 'Nobody asks for a writer that cannot be.',
      ...holding,
      goOn: true,
    },
  ],
};

// ---- guard

export const GALERA_GUARD_TABLE: RuleTable<GaleraFacts, GaleraAction> = {
  name: 'galera guard',
  purpose: 'Whether planned work may begin. Runs on the replica that holds the Lease.',
  rows: [
    {
      id: 'galera-view-unknown',
      when: 'Pods or StatefulSets could not be read',
      matches: (f) => f.snapshot.pods === 'unknown' || f.snapshot.statefulSets === 'unknown',
      because: () => 'Pods or StatefulSets cannot be read, so no planned work is begun.',
      ...holding,
    },
    {
      id: 'no-writer',
      when: 'no member is the writer, or it does not serve',
      matches: (f) => !f.writer || !f.primaries.includes(f.writer) || !f.writer.target,
      because: (f) => (f.writerRow ? `${f.writerRow.member} is to take writes and does not serve.` : 'No member takes writes.'),
      ...holding,
    },
    {
      id: 'galera-settling',
      when: 'something disruptive was done a moment ago',
      matches: (f) => f.nowMs - (f.memory.lastActionAtMs ?? -Infinity) < SETTLE_MS,
      because: () => 'The last action needs a moment to show.',
      ...holding,
      checkAgainInMs: () => 500,
    },
    {
      id: 'galera-ready-for-work',
      when: 'anything else',
      matches: () => true,
      because: () => 'The cluster is known well enough for planned work.',
      ...holding,
      goOn: true,
    },
  ],
};

const canMove = (f: GaleraFacts) => heirs(f).some((member) => !isOnCordoned(f, member));

const writerRows: PlannedRow[] = [
  {
    id: 'writer-requested',
    when: 'a person asks for another writer, and it may take over',
    matches: (f) => request(f) !== undefined && target(f) !== undefined,
    then: (f) => handOver(f, target(f)!, request(f)),
    because: (f) => `${request(f)} was asked for; ${target(f)!.name} takes writes in place of ${f.writer!.name}.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['SetWriter'],
  },
  {
    id: 'writer-cordoned',
    when: 'the writer\'s node is cordoned, all members are synced, and one on another node may take over',
    matches: (f) => isOnCordoned(f, f.writer!) && notWell(f).length === 0 && canMove(f),
    then: (f) => handOver(f, heirs(f)[0]!),
    because: (f) => `${f.writer!.object!.node} takes no new Pods any more; ${heirs(f)[0]!.name} takes writes in place of ${f.writer!.name}.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['SetWriter'],
  },
  {
    id: 'writer-stays',
    when: 'anything else',
    matches: () => true,
    because: () => 'The writer is where it should be.',
    ...holding,
    goOn: true,
  },
];

export const WRITER_TABLE: RuleTable<GaleraFacts, GaleraAction> = {
  name: 'galera writer',
  purpose: 'When another member takes writes, apart from rolling changes. Runs on the replica that holds the Lease.',
  rows: writerRows,
};

// ---- rolling changes

const isRetired = ({ listed, statefulSet }: GaleraMemberFacts) => !listed && (statefulSet?.replicas ?? 0) > 0;
const retired = (f: GaleraFacts) => f.members.filter(isRetired);
const isOnlyWriter = (f: GaleraFacts) => retired(f).every((member) => isWriter(f, member));
const outdated = (f: GaleraFacts) => f.listed.filter(({ template }) => template === 'old');
const nextOf = (f: GaleraFacts, members: readonly GaleraMemberFacts[]) => (
  members.filter((member) => !isWriter(f, member) && member.object?.deleting === false && member.target).at(-1)
);

/** On an old template and not up: nobody loses anything when it is replaced, and nothing else would ever mend it. */
function neverUp(f: GaleraFacts): GaleraMemberFacts | undefined {
  return outdated(f).find(({ object, report }) => (
    object?.deleting === false && object.container !== 'running' && !report
  ));
}

function replace(f: GaleraFacts, { name, pod, object, target: via }: GaleraMemberFacts): GaleraAction[] {
  return [{ kind: 'ReplaceMember', cluster: f.snapshot.cluster, member: name, pod, uid: object!.uid, via }];
}

function serving(f: GaleraFacts): MemberTarget {
  return f.writer!.target!;
}

const rolloutRows: PlannedRow[] = [
  {
    id: 'replace-broken',
    when: 'a member on an old template does not come up',
    matches: (f) => neverUp(f) !== undefined,
    then: (f) => replace(f, neverUp(f)!),
    because: (f) => `${galeraTrouble(neverUp(f)!)} on its old template; it is replaced by the new one.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['ReplaceMember'],
  },
  {
    id: 'retire-writer',
    when: 'the writer is no longer listed in the contract, and another member may take over',
    matches: (f) => retired(f).some((member) => isWriter(f, member)) && heirs(f).length > 0,
    then: (f) => handOver(f, heirs(f)[0]!),
    because: (f) => `${f.writer!.name} is no longer part of the cluster; ${heirs(f)[0]!.name} takes writes first.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['SetWriter'],
  },
  {
    id: 'galera-retire-waits',
    when: 'a member is no longer listed, but it is the writer, or a listed one is not synced',
    matches: (f) => retired(f).length > 0 && (notWell(f).length > 0 || isOnlyWriter(f)),
    because: (f) => `${names(retired(f))} is to go, but ${reasons(notWell(f)) || 'nobody can take over'}.`,
    ...holding,
  },
  {
    id: 'retire-synced',
    when: 'a member is no longer listed, and all listed ones are synced',
    matches: (f) => retired(f).length > 0,
    then: (f) => retired(f).filter((member) => !isWriter(f, member)).slice(-1).map(({ name, statefulSet }) => ({
      kind: 'RetireMember' as const, cluster: f.snapshot.cluster, statefulSet: name, resourceVersion: statefulSet!.resourceVersion, via: serving(f),
    })),
    because: (f) => `${retired(f).filter((member) => !isWriter(f, member)).at(-1)!.name} is no longer part of the cluster; its volume stays.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['RetireMember'],
  },
  {
    id: 'galera-template-unknown',
    when: 'the StatefulSet controller has not seen a template yet, or a Pod is missing',
    matches: (f) => f.listed.some(({ template }) => template === 'unknown'),
    because: (f) => `${names(f.listed.filter(({ template }) => template === 'unknown'))} has no known template yet.`,
    ...holding,
  },
  {
    id: 'galera-templates-current',
    when: 'all members run on their template',
    matches: (f) => outdated(f).length === 0,
    because: () => 'All members run on their template.',
    ...holding,
    goOn: true,
  },
  {
    id: 'galera-rollout-waits',
    when: 'a member is on an old template, and another one is not synced',
    matches: (f) => notWell(f).length > 0,
    because: (f) => `The rolling change waits: ${reasons(notWell(f))}.`,
    ...holding,
  },
  {
    id: 'replace-member',
    when: 'a member that is not the writer is on an old template, and all members are synced',
    matches: (f) => nextOf(f, outdated(f)) !== undefined,
    then: (f) => replace(f, nextOf(f, outdated(f))!),
    because: (f) => `${nextOf(f, outdated(f))!.name} is on an old template, and all members are synced.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['ReplaceMember'],
  },
  {
    id: 'hand-over-writer',
    when: 'only the writer is on an old template, and another member may take over',
    matches: (f) => heirs(f).length > 0,
    then: (f) => handOver(f, heirs(f)[0]!),
    because: (f) => `Only the writer ${f.writer!.name} is on an old template; ${heirs(f)[0]!.name} takes writes first.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['SetWriter'],
  },
  {
    id: 'galera-hand-over-waits',
    when: 'anything else',
    matches: () => true,
    because: (f) => `The writer ${f.writer!.name} is on an old template, but no member may take over now.`,
    ...holding,
  },
];

export const GALERA_ROLLOUT_TABLE: RuleTable<GaleraFacts, GaleraAction> = {
  name: 'galera rollout',
  purpose: 'Which member is replaced, handed over or retired next. Runs on the replica that holds the Lease.',
  rows: rolloutRows,
};

// ---- settings that need a restart

const pending = (f: GaleraFacts) => f.listed.filter(({ report }) => (report?.pendingRestart.length ?? 0) > 0);

const restartRows: PlannedRow[] = [
  {
    id: 'no-server-restart',
    when: 'all servers run with their settings',
    matches: (f) => pending(f).length === 0,
    because: () => 'All is as the contract says.',
    ...holding,
    checkAgainInMs: () => 0,
  },
  {
    id: 'server-restart-waits',
    when: 'settings need a restart, and a member is not synced',
    matches: (f) => notWell(f).length > 0,
    because: (f) => `New settings need a restart of ${names(pending(f))}; that waits: ${reasons(notWell(f))}.`,
    ...holding,
  },
  {
    id: 'restart-server',
    when: 'settings of a member that is not the writer need a restart',
    matches: (f) => nextOf(f, pending(f)) !== undefined,
    then: (f) => [{ kind: 'RestartServer', cluster: f.snapshot.cluster, target: nextOf(f, pending(f))!.target! }],
    because: (f) => `${nextOf(f, pending(f))!.name} takes up ${nextOf(f, pending(f))!.report!.pendingRestart.join(', ')}.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['RestartServer'],
  },
  {
    id: 'hand-over-for-restart',
    when: 'only the writer\'s settings need a restart, and another member may take over',
    matches: (f) => heirs(f).length > 0,
    then: (f) => handOver(f, heirs(f)[0]!),
    because: (f) => `Only the writer ${f.writer!.name} needs a restart for its settings; ${heirs(f)[0]!.name} takes writes first.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['SetWriter'],
  },
  {
    id: 'writer-restart-waits',
    when: 'anything else',
    matches: () => true,
    because: (f) => `The writer ${f.writer!.name} needs a restart for its settings, but no member may take over now.`,
    ...holding,
  },
];

export const GALERA_RESTART_TABLE: RuleTable<GaleraFacts, GaleraAction> = {
  name: 'galera restart',
  purpose: 'Restarts for settings that the server takes up in no other way. Runs on the replica that holds the Lease.',
  rows: restartRows,
};
