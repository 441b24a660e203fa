/**
 * Assisted eviction: whether a member that is proven dead may be taken out of the group at once. Until then all writers
 * stall: 2.6 s with our time-outs, 6.4 s with Galera's.
 *
 * From: the members' own word of their servers, their containers, refused connections, the survivors' view. Invariants:
 * only on positive proof; only while a majority of the view tells that it lives, so that an error costs one member a
 * restart and never makes a second component. Not here: silence, for which Galera's own time-outs are right.
 */
import { deathOf, type DeathProof, type GaleraFacts, type GaleraMemberFacts } from './facts.js';
import type { EvictFromGroup, GaleraAction, MemberTarget } from '../../model/galera/actions.js';
import type { Row, RuleTable } from '../rule-table.js';

/** Long enough to be two looks, short against the time-outs. */
const REFUSAL_PAUSE_MS = 15;
const WAIT_MS = 1000;

interface Dead {
  readonly member: GaleraMemberFacts;
  readonly gcomm: string;
  readonly proof: DeathProof;
  readonly via: readonly MemberTarget[];
}

/** Members whose view has this process, and the size of the largest of those views. */
function witnesses(facts: GaleraFacts, dead: GaleraMemberFacts, gcomm: string): { via: MemberTarget[]; size: number } {
  const counting = facts.members.filter(({ name, report }) => (
    name !== dead.name && report?.serverRuns === true && report.wsrep?.view[dead.name] === gcomm
  ));
  const sizes = counting.map(({ report }) => Object.keys(report!.wsrep!.view).length);
  return { via: counting.flatMap(({ target }) => (target ? [target] : [])), size: Math.max(0, ...sizes) };
}

function gcommsOf(facts: GaleraFacts, { name }: GaleraMemberFacts): string[] {
  const uuids = facts.members.flatMap(({ report }) => report?.wsrep?.view[name] ?? []);
  return [...new Set(uuids)].filter((uuid) => !facts.memory.evicted.includes(uuid));
}

function deaths(facts: GaleraFacts): Dead[] {
  return facts.members.flatMap((member) => gcommsOf(facts, member).flatMap((gcomm) => {
    const proof = deathOf(member);
    const { via, size } = witnesses(facts, member, gcomm);
    return proof && via.length * 2 > size ? [{ member, gcomm, proof, via }] : [];
  }));
}

/** One that stops in order leaves the group by itself; its view is behind for a moment. */
function isLeaving({ object, report }: GaleraMemberFacts): boolean {
  return report?.phase === 'stopping' || (object?.deleting === true && object.container !== 'terminated' && report !== undefined);
}

function evictable(facts: GaleraFacts): Dead | undefined {
  return deaths(facts).find(({ member }) => !isLeaving(member));
}

const PROOFS: Readonly<Record<DeathProof, string>> = {
  'server-ended': 'its server has ended',
  'container-dead': 'its container has ended',
  'process-gone': 'all of its ports refuse',
};

function evict(facts: GaleraFacts): EvictFromGroup[] {
  const { member, gcomm, proof, via } = evictable(facts)!;
  const said = proof === 'server-ended' ? member.target : undefined;
  return [{ kind: 'EvictFromGroup', cluster: facts.snapshot.cluster, member: member.name, gcomm, said, via }];
}

const holding = { then: () => [], actions: [] as string[] };

const rows: Array<Row<GaleraFacts, GaleraAction>> = [
  {
    id: 'group-view-unknown',
    when: 'the Pods cannot be read',
    matches: (f) => f.snapshot.pods === 'unknown',
    because: () => 'The Pods cannot be read, so nothing is known for sure.',
    checkAgainInMs: () => WAIT_MS,
    ...holding,
  },
  {
    id: 'evict-dead',
    when: 'a member\'s process is proven dead, and a majority of the view still counts on it',
    matches: (f) => evictable(f) !== undefined,
    then: evict,
    because: (f) => `${evictable(f)!.member.name} is dead (${PROOFS[evictable(f)!.proof]}), and all writers wait until the group gives it up.`,
    checkAgainInMs: () => REFUSAL_PAUSE_MS,
    actions: ['EvictFromGroup'],
  },
  {
    id: 'group-doubted',
    when: 'the ports of a member have begun to refuse',
    matches: (f) => f.members.some(({ doubtful, refused }) => doubtful && refused > 0 && refused < 3),
    because: (f) => `${f.members.find(({ doubtful, refused }) => doubtful && refused > 0)!.name} refuses connections; looking again before anything is concluded.`,
    checkAgainInMs: () => REFUSAL_PAUSE_MS,
    ...holding,
  },
  {
    id: 'group-undoubted',
    when: 'anything else',
    matches: () => true,
    because: () => 'Nobody is known to be dead whom the group counts on.',
    checkAgainInMs: () => WAIT_MS,
    ...holding,
    goOn: true,
  },
];

export const GROUP_TABLE: RuleTable<GaleraFacts, GaleraAction> = {
  name: 'galera group',
  purpose: 'Whether a dead member is taken out of the group at once. Runs on every replica of the agent.',
  rows,
};
