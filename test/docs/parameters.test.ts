import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './pages';
import { GIB } from '../../src/quantity';
import { resolved } from '../support/cluster';

/* The table of docs/guide/parameters.md says what the library derives. */

const MEMORY = ['1Gi', '4Gi', '16Gi', '64Gi'];
const SETTINGS = ['shared_buffers', 'effective_cache_size', 'max_connections', 'maintenance_work_mem', 'work_mem'];

function column(memory: string): Record<string, string> {
  const { patroni, sharedMemoryBytes, terminationGraceSeconds } = resolved({ resources: { requests: { memory } } });
  return {
    ...Object.fromEntries(SETTINGS.map((name) => [name, patroni.postgresql.parameters[name]!])),
    '/dev/shm': sharedMemoryBytes >= GIB ? `${sharedMemoryBytes / GIB}GB` : `${sharedMemoryBytes / 2 ** 20}MB`,
    'terminationGracePeriodSeconds': String(terminationGraceSeconds),
  };
}

function table(): string {
  const columns = MEMORY.map(column);
  return [
    `| memory limit | ${MEMORY.join(' | ')} |`,
    `|---|${MEMORY.map(() => '---|').join('')}`,
    ...Object.keys(columns[0]!).map((name) => `| \`${name}\` | ${columns.map((values) => values[name]).join(' | ')} |`),
  ].join('\n');
}

it('shows the settings that members of four sizes really get', () => {
  const page = readFileSync(join(ROOT, 'docs/guide/parameters.md'), 'utf8');
  const shown = page.slice(page.indexOf('| memory limit |')).split('\n\n')[0];
  expect(shown).toBe(table());
});

it('names the bounds that the smallest and the largest members meet', () => {
  const [small, large] = ['512Mi', '1Ti'].map((memory) => resolved({ resources: { requests: { memory } } }).patroni.postgresql.parameters);
  const page = readFileSync(join(ROOT, 'docs/guide/parameters.md'), 'utf8');
  expect(page).toContain(`${small!.max_connections} to ${large!.max_connections}`);
});
