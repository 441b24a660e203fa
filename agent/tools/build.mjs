/** Bundles the agent into one file: the image then needs Node.js and nothing else. */
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

await build({
  entryPoints: [here('../src/main.ts')],
  outfile: here('../dist/agent.cjs'),
  bundle: true,
  platform: 'node',
  // CommonJS: no loader hooks at start, and no createRequire banner.
  format: 'cjs',
  target: 'node20',
  sourcemap: false,
  legalComments: 'none',
  logLevel: 'warning',
});
