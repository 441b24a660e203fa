import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One setting of postgresql.conf, as PostgreSQL describes it in pg_settings. */
export interface PostgresSetting {
  readonly name: string;
  readonly type: 'bool' | 'integer' | 'real' | 'enum' | 'string';
  /** Unit of a bare number: `kB`, `8kB`, `ms` …; empty where there is none. */
  readonly unit: string;
  readonly least?: number;
  readonly greatest?: number;
  readonly values: string[];
}

/** Settings that PostgreSQL 13 to 16 had and 17 has no more; their values are not checked. */
const RETIRED = ['db_user_namespace', 'force_parallel_mode', 'lc_collate', 'lc_ctype', 'old_snapshot_threshold', 'operator_precedence_warning',
  'stats_temp_directory', 'trace_recovery_messages', 'vacuum_cleanup_index_scale_factor', 'vacuum_defer_cleanup_age'];

function number(text: string): number | undefined {
  return text === '' ? undefined : Number(text);
}

function parseLine(line: string): PostgresSetting {
  const [name = '', type = '', unit = '', least = '', greatest = '', values = ''] = line.split('|');
  return {
    name,
    unit,
    type: type as PostgresSetting['type'],
    ...(least === '' ? {} : { least: number(least) }),
    ...(greatest === '' ? {} : { greatest: number(greatest) }),
    values: values === '' ? [] : values.split(','),
  };
}

let settings: Map<string, PostgresSetting> | undefined;

/** All known settings by lower-case name. Read once, and only where a user sets any. */
export function postgresSettings(): ReadonlyMap<string, PostgresSetting> {
  if (!settings) {
    const text = readFileSync(join(__dirname, 'data', 'postgres-settings.txt'), 'utf8');
    const known = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map(parseLine);
    const retired = RETIRED.map((name): PostgresSetting => ({ name, type: 'string', unit: '', values: [] }));
    settings = new Map([...known, ...retired].map((setting) => [setting.name.toLowerCase(), setting]));
  }
  return settings;
}
