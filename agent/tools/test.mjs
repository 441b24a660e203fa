/**
 * Runs the tests with Node's own runner. Each file is bundled first, so that a run of all of them starts in about a
 * second. Arguments are parts of file names: `npm test -w agent -- failover`.
 */
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUNDLE } from './bundle.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const files = readdirSync(join(root, 'test'), { recursive: true })
  .filter((file) => file.endsWith('.test.ts') && (wanted.length === 0 || wanted.some((part) => file.includes(part))));

mkdirSync(join(root, 'dist'), { recursive: true });
// Of its own for each run, so that two at a time do not meet; below the root, where packages are found.
const out = mkdtempSync(join(root, 'dist', 'test-'));
process.on('exit', () => rmSync(out, { recursive: true, force: true }));
await build({
  ...BUNDLE,
  entryPoints: files.map((file) => join(root, 'test', file)),
  outdir: out,
  outbase: join(root, 'test'),
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  // Bundled CommonJS packages ask for Node's own modules by `require`.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  sourcemap: 'inline',
  external: ['fast-check'],
});
const built = files.map((file) => join(out, file.replace(/\.ts$/, '.mjs')));
const seed = new URL('property-seed.mjs', import.meta.url).href;
const result = spawnSync(process.execPath, ['--enable-source-maps', `--import=${seed}`, '--test', ...built], { stdio: 'inherit' });
process.exit(result.status ?? 1);
