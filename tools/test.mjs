// `npm test`: sets everything up and runs every test that needs no cluster. What follows `--` goes to jest.
import { spawnSync } from 'node:child_process';
import { fail, run, setUp } from './setup.mjs';

const LINT = ['eslint', '--ext', '.ts', '--no-error-on-unmatched-pattern', 'src', 'test', 'tools', 'examples', 'agent', '.projenrc.ts'];

/** Generated files must be what their sources make of them. */
function checkGenerated() {
  run('npx', ['jsii-docgen', '.jsii', '-o', 'API.md'], { stdio: 'ignore' });
  run('npx', ['tsx', 'tools/docs.ts']);
  const changed = spawnSync('git', ['status', '--porcelain', '--', 'API.md', 'docs/reference'], { encoding: 'utf8' });
  if (changed.status === 0 && changed.stdout.trim() !== '') fail(`Generated documentation has changed; commit it:\n${changed.stdout}`);
}

function python() {
  if (spawnSync('python3', ['--version']).error) {
    console.log('skipped: the tests of member.py need python3, which was not found');
    return;
  }
  run('python3', ['-m', 'unittest', 'discover', '-s', 'test/scripts', '-q']);
}

setUp();
for (const project of ['test/tsconfig.json', 'test/e2e', 'examples/typescript-app']) run('npx', ['tsc', '--noEmit', '-p', project]);
run('npx', LINT, { env: { ...process.env, ESLINT_USE_FLAT_CONFIG: 'false', NODE_NO_WARNINGS: '1' } });
checkGenerated();
python();
run('npx', ['jest', '--ci', ...process.argv.slice(2)]);
for (const script of ['check', 'test']) run('npm', ['run', script, '-w', 'agent']);
