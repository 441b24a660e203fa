/** Five fields of cron as Kubernetes reads them (robfig/cron, standard parser). */
interface Field {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Field[] = [
  { name: 'minute', low: 0, high: 59 },
  { name: 'hour', low: 0, high: 23 },
  { name: 'day of the month', low: 1, high: 31 },
  { name: 'month', low: 1, high: 12, names: MONTHS },
  { name: 'day of the week', low: 0, high: 6, names: DAYS },
];
/** Longest month of each number; a 29 February comes every few years. */
const LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function valueOf(field: Field, text: string): number {
  const index = field.names?.indexOf(text.toLowerCase()) ?? -1;
  if (index >= 0) return index + field.low;
  return number(text);
}

interface Range {
  readonly low: number;
  readonly high: number;
  readonly step: number;
}

function number(text: string): number {
  return /^\d{1,2}$/.test(text) ? Number(text) : NaN;
}

/** The two ends of `*`, `5` or `1-5`; more than two of them are none. */
function ends(field: Field, range: string): [low: number, high: number | undefined] {
  if (range === '*' || range === '?') return [field.low, field.high];
  const [from = '', to, ...more] = range.split('-');
  if (more.length > 0) return [NaN, NaN];
  return [valueOf(field, from), to === undefined ? undefined : valueOf(field, to)];
}

/** With a step behind it, a single value goes on to the last one. */
function rangeOf(field: Field, text: string): Range | undefined {
  const [range = '', step, ...more] = text.split('/');
  const [low, end] = ends(field, range);
  const last = step === undefined ? low : field.high;
  const found = { low, high: end ?? last, step: step === undefined ? 1 : number(step) };
  return more.length > 0 || Object.values(found).some(Number.isNaN) ? undefined : found;
}

/** One value or range of a field: its values, or what is wrong with it. */
function part(field: Field, text: string): number[] | string {
  const range = rangeOf(field, text);
  if (!range) return `${JSON.stringify(text)} is no ${field.name}`;
  const { low, high, step } = range;
  if (low < field.low || high > field.high) return `the ${field.name} ${text} is not within ${field.low} to ${field.high}`;
  if (low > high || step < 1) return `${text} holds no ${field.name}`;
  return Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, index) => low + index * step);
}

function values(field: Field, text: string): number[] | string {
  const parts = text.split(',').map((each) => part(field, each));
  return parts.find((each) => typeof each === 'string') ?? (parts as number[][]).flat();
}

function neverComes(text: string, days: number[], months: number[], weekday: string): boolean {
  // Where both days are named, either of them is enough.
  if (weekday !== '*' && weekday !== '?') return false;
  return text !== '*' && !months.some((month) => days.some((day) => day <= LONGEST[month - 1]!));
}

const MACRO = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/;

/** What is wrong with a schedule, or undefined. */
export function cronProblem(cron: string): string | undefined {
  if (MACRO.test(cron)) return undefined;
  if (/TZ=/.test(cron)) return 'a time zone stands in it; that is the field timeZone';
  const texts = cron.trim().split(/\s+/);
  if (texts.length !== FIELDS.length) return `it has ${texts[0] === '' ? 0 : texts.length} fields and not 5`;
  const parsed = FIELDS.map((field, index) => values(field, texts[index]!));
  const problem = parsed.find((each) => typeof each === 'string');
  if (problem !== undefined) return problem as string;
  const [, , days, months] = parsed as number[][];
  return neverComes(texts[2]!, days!, months!, texts[4]!) ? 'no month has such a day' : undefined;
}
