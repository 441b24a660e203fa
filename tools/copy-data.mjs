// Copies what is data to the library (scripts for database containers, PostgreSQL's settings) next to the compiled code.
import { cpSync, mkdirSync } from 'node:fs';

mkdirSync('lib/render', { recursive: true });
for (const folder of ['scripts', 'data']) {
  cpSync(`src/render/${folder}`, `lib/render/${folder}`, { recursive: true, filter: (path) => !path.includes('__pycache__') });
}
