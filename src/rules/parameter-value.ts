import { suggestion } from '../closest';
import type { PostgresRule } from './rule';
import { postgresSettings, type PostgresSetting } from '../render/postgres-settings';

/** Every prefix of these is taken too, as PostgreSQL does: `t`, `of` … */
const BOOLEANS = ['on', 'off', 'true', 'false', 'yes', 'no', '1', '0'];

/** Factors to the smallest unit of each kind. */
const MEMORY: Readonly<Record<string, number>> = { 'B': 1, 'kB': 2 ** 10, '8kB': 2 ** 13, 'MB': 2 ** 20, '16MB': 2 ** 24, 'GB': 2 ** 30, 'TB': 2 ** 40 };
const TIME: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

function unitsOf(setting: PostgresSetting): Readonly<Record<string, number>> {
  if (setting.unit in MEMORY) return MEMORY;
  return setting.unit in TIME ? TIME : {};
}

/** The value in the setting's own unit, or undefined where it is no number with a unit that fits. */
function inOwnUnit(setting: PostgresSetting, value: string): number | undefined {
  const match = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z]*)$/.exec(value.trim());
  if (!match) return undefined;
  const [, digits = '', unit = ''] = match;
  if (unit === '') return Number(digits);
  const units = unitsOf(setting);
  return units[unit] === undefined ? undefined : (Number(digits) * units[unit]) / units[setting.unit]!;
}

function describeNumber(setting: PostgresSetting): string {
  const units = Object.keys(unitsOf(setting)).filter((unit) => /^[A-Za-z]/.test(unit));
  return `a number${units.length > 0 ? ` with one of the units ${units.join(', ')}` : ''}`;
}

function numberProblem(setting: PostgresSetting, value: string): string | undefined {
  const amount = inOwnUnit(setting, value);
  if (amount === undefined || Number.isNaN(amount)) return `is not ${describeNumber(setting)}`;
  if (setting.type === 'integer' && setting.unit === '' && !Number.isInteger(amount)) return 'is not a whole number';
  const rounded = setting.type === 'integer' ? Math.round(amount) : amount;
  const [least, greatest] = [setting.least ?? -Infinity, setting.greatest ?? Infinity];
  return rounded < least || rounded > greatest ? `is outside of ${least} to ${greatest}${setting.unit ? ` (in ${setting.unit})` : ''}` : undefined;
}

function valueProblem(setting: PostgresSetting, value: string): string | undefined {
  const lower = value.trim().toLowerCase();
  switch (setting.type) {
    case 'bool':
      return lower !== '' && BOOLEANS.some((word) => word.startsWith(lower)) ? undefined : 'is neither on nor off';
    case 'enum':
      // PostgreSQL also takes spellings that pg_settings hides, such as on and off for true and false.
      return setting.values.includes(lower) || BOOLEANS.includes(lower) ? undefined
        : `is none of ${setting.values.join(', ')}${suggestion(lower, setting.values)}`;
    case 'integer':
    case 'real':
      return numberProblem(setting, value);
    default:
      return /[\n\r\0]/.test(value) ? 'holds a line break' : undefined;
  }
}

export const parameterValue: PostgresRule = {
  code: 'EV1303',
  title: 'A value that PostgreSQL would refuse',
  cause: 'A value in parameters has the wrong type or unit, or is outside of what PostgreSQL 17 takes.',
  consequence: 'PostgreSQL would keep the old value, and a new member would not start',
  fix: 'Correct the value',
  check: ({ props }) => Object.entries(props.parameters ?? {}).flatMap(([name, value]) => {
    const setting = postgresSettings().get(name.toLowerCase());
    const problem = setting && valueProblem(setting, value);
    return problem ? [{ path: ['parameters', name], problem: `${name}: ${JSON.stringify(value)} ${problem}` }] : [];
  }),
};
