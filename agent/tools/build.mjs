/** Bundles the agent into files that need Node.js and nothing else. */
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { BUNDLE } from './bundle.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Job mode is a file of its own, so that the controller carries nothing of it in memory. */
const JOB = { name: 'job', setup: ({ onResolve }) => onResolve({ filter: /\/backup-main\.js$/ }, () => ({ path: './backup.cjs', external: true })) };

const bundle = (entry, file, plugins = []) => build({
  ...BUNDLE,
  plugins,
  entryPoints: [here(`../src/${entry}`)],
  outfile: here(`../dist/${file}`),
  // CommonJS: no loader hooks at start, and no createRequire banner.
  format: 'cjs',
  sourcemap: false,
  legalComments: 'none',
});

await bundle('main.ts', 'agent.cjs', [JOB]);
await bundle('backup-main.ts', 'backup.cjs');
