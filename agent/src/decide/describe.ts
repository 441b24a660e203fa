/** The rule tables as text: docs/reference/decisions.md is made from this, so that it cannot lag behind the code. */
import { FAILURE_ROWS } from './backup-failure.js';
import { DRILL_FAILURE_ROWS } from './drill-failure.js';
import { FAILOVER_TABLE } from './failover.js';
import { GALERA_TABLES } from './galera/decide.js';
import { OPERATIONS_TABLES } from './operations.js';
import type { Row } from './rule-table.js';
import { SNAPSHOT_FAILURE_ROWS, SNAPSHOT_PROBLEMS } from './snapshot-failure.js';

type RowText = Pick<Row<unknown, unknown>, 'id' | 'when' | 'actions' | 'goOn'>;

interface TableText {
  readonly name: string;
  readonly purpose: string;
  readonly rows: readonly RowText[];
}

const TABLES: readonly TableText[] = [FAILOVER_TABLE, ...OPERATIONS_TABLES, ...GALERA_TABLES];

function doing(row: RowText): string {
  if (row.goOn) return 'next table';
  return row.actions.length === 0 ? 'holds' : row.actions.join(', then ');
}

function describeTable({ name, purpose, rows }: TableText): string {
  const lines = rows.map((row) => `| \`${row.id}\` | ${row.when} | ${doing(row)} |`);
  return [`## ${name}`, '', purpose, '', '| rule | when | does |', '|---|---|---|', ...lines, ''].join('\n');
}

interface FailureText {
  readonly kind: string;
  readonly problem: string;
  readonly fix: string;
}

function describeFailures(title: string, purpose: string, rows: readonly FailureText[]): string {
  const lines = rows.map(({ kind, problem, fix }) => `| \`${kind}\` | ${problem} | ${fix} |`);
  return [`## ${title}`, '', purpose, '', '| kind | what is wrong | what to do |', '|---|---|---|', ...lines, ''].join('\n');
}

const BACKUP_FAILURES = 'Why a backup was not made, or why the archive does not work: `failure.kind` in the status. What the storage or pgBackRest said decides, and its exit code where it said nothing known.';
const SNAPSHOT_FAILURES = 'Why a VolumeSnapshot is no backup: what the Kubernetes API, the driver or the member said, or how far the Job came. Where the storage is in the way, its kind is one of those above.';
const OF_THE_JOB = Object.entries(SNAPSHOT_PROBLEMS).map(([kind, texts]) => ({ kind, ...texts }));
const DRILL_FAILURES = 'Why a restore drill failed. Where the storage is in the way, its kind is one of those above.';

/** Markdown, without a title: rows are tried from the top, the first that matches decides. */
export function describeDecisions(): string {
  return [
    ...TABLES.map(describeTable),
    describeFailures('backup failures', BACKUP_FAILURES, FAILURE_ROWS),
    describeFailures('snapshot failures', SNAPSHOT_FAILURES, [...SNAPSHOT_FAILURE_ROWS, ...OF_THE_JOB]),
    describeFailures('drill failures', DRILL_FAILURES, DRILL_FAILURE_ROWS),
  ].join('\n');
}

/** All names, for the documentation of Events and metrics. */
export function ruleIds(): string[] {
  return TABLES.flatMap((table) => table.rows.map((row) => row.id));
}
