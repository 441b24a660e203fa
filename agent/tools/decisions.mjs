/** Prints the decision tables as Markdown, for the documentation: the agent is ESM, and who documents it is not. */
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { BUNDLE } from './bundle.mjs';

const { outputFiles: [bundle] } = await build({
  ...BUNDLE,
  entryPoints: [fileURLToPath(new URL('../src/decide/describe.ts', import.meta.url))],
  format: 'esm',
  write: false,
});
const { describeDecisions } = await import(`data:text/javascript;base64,${Buffer.from(bundle.contents).toString('base64')}`);
process.stdout.write(describeDecisions());
