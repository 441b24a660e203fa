// What every command here needs first: the right Node.js, the packages of the lock file, and the compiled library.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const OLDEST_NODE = [20, 16];

/** Ends the program with a sentence instead of a stack trace. */
export function fail(message) {
  process.stderr.write(`\n${message}\n`);
  process.exit(1);
}

/** Runs a program in the foreground; its failure is ours. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (result.error) fail(`${command} could not be started (${result.error.code}). Is it installed?`);
  if (result.status !== 0) fail(`failed: ${[command, ...args].join(' ')}`);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    fail(`Node.js ${OLDEST_NODE.join('.')} or newer is needed; this is ${process.versions.node}.`);
  }
  if (spawnSync('npm', ['--version']).error) fail('npm is needed and was not found; it comes with Node.js.');
}

function newestChange(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newestChange(join(path, name))));
}

function install() {
  const marker = 'node_modules/.package-lock.json';
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync('package-lock.json').mtimeMs) return;
  console.log('Installing the packages of package-lock.json (about a minute) …');
  run('npm', ['ci', '--no-audit', '--no-fund']);
}

function compile() {
  if (existsSync('lib/index.js') && existsSync('.jsii') && statSync('.jsii').mtimeMs >= newestChange('src')) return;
  console.log('Compiling the library …');
  run('npx', ['jsii', '--silence-warnings=reserved-word'], { env: { ...process.env, JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20' } });
  run('node', ['tools/copy-data.mjs']);
}

/** Leaves the project ready to run. Does only what is not done yet. */
export function setUp() {
  process.chdir(join(import.meta.dirname, '..'));
  checkNode();
  install();
  compile();
}
