/** Bundles the agent into files that need Node.js and nothing else. */
import { build } from 'esbuild';
import { chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BUNDLE } from './bundle.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Job mode is a file of its own, so that the controller carries nothing of it in memory. */
const JOB = { name: 'job', setup: ({ onResolve }) => onResolve({ filter: /\/backup-main\.js$/ }, () => ({ path: './backup.cjs', external: true })) };

const bundle = (entry, file, more = {}) => build({
  ...BUNDLE,
  entryPoints: [here(`../src/${entry}`)],
  outfile: here(`../dist/${file}`),
  // CommonJS: no loader hooks at start, and no createRequire banner.
  format: 'cjs',
  sourcemap: false,
  legalComments: 'none',
  ...more,
});

await bundle('main.ts', 'agent.cjs', { plugins: [JOB] });
await bundle('backup-main.ts', 'backup.cjs');
// People have kubeconfig files, which are YAML.
const { 'js-yaml': _, ...alias } = BUNDLE.alias;
await bundle('kubectl/main.ts', 'kubectl-everest.cjs', { alias, banner: { js: '#!/usr/bin/env node' } });
chmodSync(here('../dist/kubectl-everest.cjs'), 0o755);
