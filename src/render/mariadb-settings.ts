import { readFileSync } from 'node:fs';
import { join } from 'node:path';

let names: Set<string> | undefined;

/** Names of all settings of MariaDB, with `_`. Read once, and only where a user sets any. */
export function mariaDbSettings(): ReadonlySet<string> {
  if (!names) {
    const text = readFileSync(join(__dirname, 'data', 'mariadb-settings.txt'), 'utf8');
    names = new Set(text.split('\n').filter((line) => line !== '' && !line.startsWith('#')));
  }
  return names;
}
