import { suggestion } from '../closest';
import { parseBoolean } from './booleans';
import type { PostgresRule } from './rule';
import { postgresSettings, type PostgresSetting } from '../render/postgres-settings';

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
  if (setting.type !== 'integer') return rangeProblem(setting, amount);
  if (setting.unit === '' && !Number.isInteger(amount)) return 'is not a whole number';
  return rangeProblem(setting, Math.round(amount));
}

function rangeProblem(setting: PostgresSetting, amount: number): string | undefined {
  const { least = -Infinity, greatest = Infinity } = setting;
  const unit = setting.unit ? ` (in ${setting.unit})` : '';
  if (amount < least) return `is less than ${least}${unit}`;
  return amount > greatest ? `is more than ${greatest}${unit}` : undefined;
}

function enumProblem(setting: PostgresSetting, value: string): string | undefined {
  const lower = value.trim().toLowerCase();
  // Where on and off are among the values, PostgreSQL also takes the other words for them, which pg_settings hides.
  const hidden = setting.values.includes('on') && ['true', 'false', 'yes', 'no', '1', '0'].includes(lower);
  if (hidden || setting.values.includes(lower)) return undefined;
  return `is none of ${setting.values.join(', ')}${suggestion(lower, setting.values)}`;
}

function valueProblem(setting: PostgresSetting, value: string): string | undefined {
  switch (setting.type) {
    case 'bool':
      return parseBoolean(value) === undefined ? 'is neither on nor off' : undefined;
    case 'enum':
      return enumProblem(setting, value);
    case 'integer':
    case 'real':
      return numberProblem(setting, value);
    default:
      return undefined;
  }
}

/** Settings of extensions are not in the table; a line break would end any of them early. */
function problemOf(name: string, value: string): string | undefined {
  if (/[\n\r\0]/.test(value)) return 'holds a line break';
  const setting = postgresSettings().get(name.toLowerCase());
  return setting && valueProblem(setting, value);
}

export const parameterValue: PostgresRule = {
  code: 'EV1303',
  title: 'A value that PostgreSQL would refuse',
  cause: 'A value in parameters has the wrong type or unit, or is outside of what PostgreSQL 17 takes.',
  consequence: 'PostgreSQL would keep the old value, and a new member would not start',
  fix: 'Correct the value',
  check: ({ props }) => Object.entries(props.parameters ?? {}).flatMap(([name, value]) => {
    const problem = problemOf(name, value);
    return problem ? [{ path: ['parameters', name], problem: `${JSON.stringify(value)} ${problem}` }] : [];
  }),
};
