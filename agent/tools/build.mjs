/** Bundles the agent into files that need Node.js and nothing else. */
import { build } from 'esbuild';
import { chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BUNDLE } from './bundle.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Each kind of Job is a file of its own, so that the controller carries nothing of it in memory. */
const JOBS = ['backup', 'drill'];
const external = {
  name: 'jobs',
  setup: ({ onResolve }) => JOBS.forEach((job) => onResolve({ filter: new RegExp(`/${job}-main\\.js$`) }, () => ({ path: `./${job}.cjs`, external: true }))),
};

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

await bundle('main.ts', 'agent.cjs', { plugins: [external] });
for (const job of JOBS) await bundle(`${job}-main.ts`, `${job}.cjs`);
// People have kubeconfig files, which are YAML.
const { 'js-yaml': _, ...alias } = BUNDLE.alias;
await bundle('kubectl/main.ts', 'kubectl-everest.cjs', { alias, banner: { js: '#!/usr/bin/env node' } });
chmodSync(here('../dist/kubectl-everest.cjs'), 0o755);
