// `npm start`: sets everything up, synthesizes all examples into dist/ and says what to do next.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fail, run, setUp } from './setup.mjs';

const OUT = 'dist/examples';

function synthesizeDocument(file) {
  const folder = join(OUT, file.replace(/\.yaml$/, ''));
  const result = spawnSync('node', ['lib/cli/main.js', 'synth', join('examples', file), '-o', folder], { encoding: 'utf8' });
  if (result.status === 0) return { example: file, folder };
  // An engine of a later version is no failure of ours: the example shows what one is told.
  if (result.stderr.startsWith('[EV1007]')) return { example: file, said: result.stderr.trim() };
  return fail(`examples/${file}: ${result.stderr}`);
}

function synthesizeApp(name) {
  const folder = join(OUT, name);
  run('npx', ['--no-install', 'cdk8s', 'synth', '--output', join('..', '..', folder)], { cwd: join('examples', name), stdio: ['ignore', 'ignore', 'inherit'] });
  return { example: name, folder };
}

setUp();
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
const names = readdirSync('examples').sort();
const results = [
  ...names.filter((name) => name.endsWith('.yaml')).map(synthesizeDocument),
  ...names.filter((name) => statSync(join('examples', name)).isDirectory() && existsSync(join('examples', name, 'cdk8s.yaml'))).map(synthesizeApp),
];

console.log('\nMade from examples/:');
for (const { example, folder, said } of results) {
  if (said) console.log(`  ${example}\n    not made: ${said}`);
  else console.log(`  ${example}\n${readdirSync(folder).sort().map((file) => `    ${join(folder, file)}`).join('\n')}`);
}
console.log(`
Next:
  look at one:      less ${join(OUT, 'production-db', 'default.production-db.yaml')}
  get a database:   kubectl apply -f ${join(OUT, 'production-db')}      (build the image first: images/postgres/README.md)
  your own:         node lib/cli/main.js synth FILE, or new PostgresCluster(…) in a cdk8s app (README.md)
  run the tests:    npm test
`);
