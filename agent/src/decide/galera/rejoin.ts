/**
 * A component serves: what becomes of members whose data are no part of it. Invariants: data are set aside and never
 * deleted; never while two components serve, nor when the member has followed a later bootstrap than those that serve.
 */
import { foreignTo } from './choice.js';
import { isWaiting, names, type GaleraFacts, type GaleraMemberFacts } from './facts.js';
import type { GaleraAction } from '../../model/galera/actions.js';
import { isLater, numberOf, type GaleraReport } from '../../model/galera/member.js';
import type { Row, RuleTable } from '../rule-table.js';

const WAIT_MS = 1000;

const holding = { then: () => [], actions: [] as string[], checkAgainInMs: () => WAIT_MS };

/** Two that serve and do not see each other; one of two views that are told at different moments sees the other. */
function apart(f: GaleraFacts): readonly [GaleraMemberFacts, GaleraMemberFacts] | undefined {
  const pairs = f.primaries.flatMap((a, index) => f.primaries.slice(index + 1).map((b) => [a, b] as const));
  const sees = (a: GaleraMemberFacts, b: GaleraMemberFacts) => a.report!.wsrep!.view[b.name] !== undefined;
  return pairs.find(([a, b]) => !sees(a, b) && !sees(b, a));
}

/** The newest word of those that serve: one that was promoted a moment ago may not have read it yet. */
function yardstick(f: GaleraFacts): GaleraReport | undefined {
  const reports = f.synced.map(({ report }) => report!);
  return reports.sort((a, b) => numberOf(b.bootstrap) - numberOf(a.bootstrap))[0];
}

interface Foreign {
  readonly member: GaleraMemberFacts;
  readonly why: string;
  readonly newer: boolean;
}

function foreigners(f: GaleraFacts): Foreign[] {
  const primary = yardstick(f);
  if (!primary) return [];
  return f.listed.filter(isWaiting).flatMap((member) => {
    const why = foreignTo(member.report!, primary, f.record);
    return why ? [{ member, why, newer: isLater(member.report!, primary) }] : [];
  });
}

const replaceable = (f: GaleraFacts) => foreigners(f).find(({ newer, member: { name, report } }) => (
  !newer && report!.ambiguous && !f.memory.refused.includes(asideKey(name, report!.bootId))
));

export function asideKey(member: string, bootId: string): string {
  return `aside ${member} ${bootId}`;
}

function setAside(f: GaleraFacts): GaleraAction[] {
  const { member: { target, report } } = replaceable(f)!;
  const via = f.synced.find((member) => member.target)!.target!;
  return [{ kind: 'SetDataAside', cluster: f.snapshot.cluster, target: target!, position: report!.position, via }];
}

function unconfirmed(f: GaleraFacts): GaleraMemberFacts | undefined {
  const { era = 0, confirmed } = f.record ?? {};
  return f.synced.find(({ report, target }) => (
    target && report!.bootstrap && isLater(report!, { era: { number: era, by: '' }, bootstrap: confirmed })
  ));
}

const rows: Array<Row<GaleraFacts, GaleraAction>> = [
  {
    id: 'two-components',
    when: 'two members may write and do not see each other',
    matches: (f) => apart(f) !== undefined,
    because: (f) => `${names(apart(f)!)} both may write and do not see each other: a person has to decide whose data count.`,
    ...holding,
  },
  {
    id: 'confirm-bootstrap',
    when: 'a component serves that the record does not know yet',
    matches: (f) => f.leads && f.record !== undefined && unconfirmed(f) !== undefined,
    then: (f) => [{ kind: 'ConfirmBootstrap', cluster: f.snapshot.cluster, target: unconfirmed(f)!.target!, recordVersion: f.record!.resourceVersion }],
    because: (f) => `The cluster serves since its bootstrap number ${unconfirmed(f)!.report!.bootstrap!.n}.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['ConfirmBootstrap'],
  },
  {
    id: 'newer-data',
    when: 'a waiting member has followed a later bootstrap than those that serve',
    matches: (f) => foreigners(f).some(({ newer }) => newer),
    because: (f) => `${names(foreigners(f).filter(({ newer }) => newer).map(({ member }) => member))} has data of a later bootstrap than those that serve: a person has to decide.`,
    ...holding,
  },
  {
    id: 'set-data-aside',
    when: 'a member waits whose data are no part of what the others serve',
    matches: (f) => replaceable(f) !== undefined,
    then: setAside,
    because: (f) => `${replaceable(f)!.member.name} cannot join as it is: ${replaceable(f)!.why}. They are kept aside, and it takes a copy.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['SetDataAside'],
  },
  {
    id: 'nobody-foreign',
    when: 'anything else',
    matches: () => true,
    because: () => 'All members belong together.',
    ...holding,
    goOn: true,
  },
];

export const REJOIN_TABLE: RuleTable<GaleraFacts, GaleraAction> = {
  name: 'galera rejoin',
  purpose: 'What becomes of a member that cannot join as it is. Runs on every replica of the agent.',
  rows,
};
