/** Bundles the agent into one file: the image then needs Node.js and nothing else. */
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { BUNDLE } from './bundle.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

await build({
  ...BUNDLE,
  entryPoints: [here('../src/main.ts')],
  outfile: here('../dist/agent.cjs'),
  // CommonJS: no loader hooks at start, and no createRequire banner.
  format: 'cjs',
  sourcemap: false,
  legalComments: 'none',
});
