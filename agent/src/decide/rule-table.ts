/**
 * Ordered rows, first match wins. A table is data: it can be listed, documented and checked, and its last row holds,
 * so that every snapshot has an answer.
 */
export interface Row<Facts, Action> {
  readonly id: string;
  /** What must be the case, for decisions.md. */
  readonly when: string;
  readonly matches: (facts: Facts) => boolean;
  readonly then: (facts: Facts) => readonly Action[];
  /** One sentence for operators. */
  readonly because: (facts: Facts) => string;
  readonly checkAgainInMs: (facts: Facts) => number;
  /** Nothing to do here: the next table is asked. */
  readonly goOn?: true;
  /** Kinds of actions that `then` may give, for decisions.md and for the tests. */
  readonly actions: readonly string[];
}

export interface Verdict<Action> {
  readonly ruleId: string;
  readonly because: string;
  readonly actions: readonly Action[];
  readonly checkAgainInMs: number;
}

export interface RuleTable<Facts, Action> {
  readonly name: string;
  readonly purpose: string;
  readonly rows: ReadonlyArray<Row<Facts, Action>>;
}

function matchingRow<Facts, Action>(table: RuleTable<Facts, Action>, facts: Facts): Row<Facts, Action> {
  const row = table.rows.find((candidate) => candidate.matches(facts));
  if (!row) throw new Error(`table ${table.name} has no row that holds`);
  return row;
}

export function firstMatch<Facts, Action>(table: RuleTable<Facts, Action>, facts: Facts): Verdict<Action> {
  const row = matchingRow(table, facts);
  return {
    ruleId: row.id, because: row.because(facts), actions: row.then(facts), checkAgainInMs: row.checkAgainInMs(facts),
  };
}

/** The first table with something to say; the last one's word where all go on. */
export function firstVerdict<Facts, Action>(
  tables: ReadonlyArray<RuleTable<Facts, Action>>, facts: Facts,
): Verdict<Action> {
  const table = tables.find((candidate) => !matchingRow(candidate, facts).goOn) ?? tables[tables.length - 1]!;
  return firstMatch(table, facts);
}
