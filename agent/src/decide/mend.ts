/**
 * Standbys that do not get on by themselves: a restart first, since Patroni then rewinds what has to be rewound; a copy
 * anew from the primary only where it is proven that nothing else can help.
 *
 * From: what was seen of them over some time (observe/standstills.ts), what was done for them before. Invariants: never
 * the primary; one at a time; no data folder is thrown away for a cause that is not known. Not here: members whose
 * container does not run, which the kubelet and the rolling change look after.
 */
import type { OperationsFacts } from './operations-facts.js';
import type { Row, RuleTable } from './rule-table.js';
import type { Mending, OperationsAction, Standstill, StandstillCause } from '../model/operations.js';

/** Patroni looks for itself when it hears of a new leader; after that only a restart makes it look again. */
const DIVERGED_MS = 5000;
/** From the start of a Pod over a rewind to streaming: some seconds, more on a slow machine. */
const DIVERGED_AGAIN_MS = 20_000;
/** The primary has told so itself; one look more. */
const WAL_GONE_MS = 2000;
/** Patroni tries again by itself in each round of 10 s. */
const NOT_STARTED_MS = 30_000;
/** Copies and replays take their time; watches wake the loop earlier. */
const WAIT_MS = 5000;

const dueAfter: Readonly<Record<Exclude<StandstillCause, 'unclear'>, number>> = {
  'diverged': DIVERGED_MS, 'wal-gone': WAL_GONE_MS, 'not-started': NOT_STARTED_MS,
};

function done(f: OperationsFacts, pod: string): Mending | undefined {
  return f.memory.mended?.[pod];
}

/** Of members that the contract lists, which are standbys now as they were when they were looked at. */
function standing(f: OperationsFacts): Standstill[] {
  return f.snapshot.standstills.filter(({ pod, uid }) => f.listed.some((member) => (
    member.pod === pod && !member.primary && member.object?.uid === uid && !member.object.deleting
  )));
}

function toRestart(f: OperationsFacts): Standstill | undefined {
  return standing(f).find(({ pod, cause, forMs }) => (
    (cause === 'diverged' || cause === 'not-started') && done(f, pod) === undefined && forMs >= dueAfter[cause]
  ));
}

function toRebuild(f: OperationsFacts): Standstill | undefined {
  return standing(f).find(({ pod, cause, forMs }) => {
    if (done(f, pod) === 'rebuilt') return false;
    if (cause === 'wal-gone') return forMs >= dueAfter[cause];
    return cause === 'diverged' && done(f, pod) === 'restarted' && forMs >= DIVERGED_AGAIN_MS;
  });
}

const WORDS: Readonly<Record<StandstillCause, string>> = {
  'diverged': 'has replayed more than it has in common with the primary',
  'wal-gone': 'needs WAL that the primary no longer has, and reads no archive',
  'not-started': 'runs Patroni, but PostgreSQL does not start',
  'unclear': 'replays nothing',
};

const TRIED: Readonly<Record<Mending, string>> = {
  restarted: ', also after a restart', rebuilt: ', also after it was copied anew from the primary',
};

/** For the status: what is the matter with a standby, and what was done. */
export function tellStandstill({ pod, cause }: Standstill, mended: Mending | undefined): string {
  return `${WORDS[cause]}${mended ? TRIED[mended] : ''}${mended ? `; look at the log of ${pod}` : ''}`;
}

const rows: Array<Row<OperationsFacts, OperationsAction>> = [
  {
    id: 'restart-standstill',
    when: 'a standby has diverged and does not rewind by itself, or its PostgreSQL does not start; it was not restarted for that yet',
    matches: (f) => toRestart(f) !== undefined,
    then: (f) => {
      const { pod, uid } = toRestart(f)!;
      return [{ kind: 'EvictPod', cluster: f.snapshot.cluster, pod, uid, evenPrimary: false }];
    },
    because: (f) => `${toRestart(f)!.pod} ${WORDS[toRestart(f)!.cause]}; it is restarted, so that Patroni looks anew.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['EvictPod'],
  },
  {
    id: 'rebuild-standstill',
    when: 'a standby is still diverged after a restart, or the WAL that it needs is gone; it was not rebuilt for that yet',
    matches: (f) => toRebuild(f) !== undefined,
    then: (f) => {
      const { pod, uid } = toRebuild(f)!;
      return [{ kind: 'RebuildMember', cluster: f.snapshot.cluster, pod, uid }];
    },
    because: (f) => `${toRebuild(f)!.pod} ${WORDS[toRebuild(f)!.cause]}; its data is copied anew from ${f.primary!.pod}.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['RebuildMember'],
  },
  {
    id: 'members-get-on',
    when: 'anything else',
    matches: () => true,
    then: () => [],
    because: () => 'No standby needs help.',
    checkAgainInMs: () => WAIT_MS,
    actions: [],
    goOn: true,
  },
];

export const MEND_TABLE: RuleTable<OperationsFacts, OperationsAction> = {
  name: 'mend',
  purpose: 'Which standby is restarted or rebuilt because it does not get on by itself. Runs on the replica that holds the Lease.',
  rows,
};
