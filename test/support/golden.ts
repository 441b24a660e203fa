import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { synthesizeDrills } from './drills';
import { synthesizeDocument, synthesizeExampleApp } from './example-app';
import { RULE_EXAMPLES } from './rule-examples';
import { renderFinding } from '../../src/errors';
import { findRule } from '../../src/rules/catalog';

/*
 * Golden files: whole outputs that a person has read. Tests compare them; only `npm run golden:update` writes them, and
 * the diff is part of the review.
 */

/** Texts by path below test/golden. */
export type GoldenFiles = ReadonlyMap<string, string>;

const FOLDER = join(__dirname, '..', 'golden');

/** Every message once, under the title of its rule, as a person would see it. */
export function goldenMessages(): GoldenFiles {
  const texts = RULE_EXAMPLES.map(({ code, mistake, bad }) => [
    `# ${findRule(code)?.title}: ${mistake}`, ...bad().map((finding) => renderFinding(finding, '')), '',
  ].join('\n'));
  return new Map([['messages.txt', texts.join('\n')]]);
}

/** What is compared and written, by the folder or file below test/golden that it owns. */
export const GOLDEN_SETS: Readonly<Record<string, () => GoldenFiles>> = {
  'messages.txt': goldenMessages,
  'typescript-app': synthesizeExampleApp,
  'production-db': () => synthesizeDocument('production-db'),
  'drills': synthesizeDrills,
  'full': () => synthesizeDocument('full'),
  'mariadb': () => synthesizeDocument('mariadb'),
  'order-service-db': () => synthesizeDocument('order-service-db'),
};

function filesBelow(path: string): string[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return [];
  if (!stats.isDirectory()) return [relative(FOLDER, path)];
  return readdirSync(path).sort().flatMap((name) => filesBelow(join(path, name)));
}

/** The golden files that lie there. */
export function readGolden(set: string): GoldenFiles {
  return new Map(filesBelow(join(FOLDER, set)).map((file) => [file, readFileSync(join(FOLDER, file), 'utf8')]));
}

/** Replaces a set by what is made now; returns the files. Never called by a test. */
export function writeGolden(set: string): string[] {
  rmSync(join(FOLDER, set), { recursive: true, force: true });
  const files = GOLDEN_SETS[set]!();
  for (const [file, text] of files) {
    mkdirSync(dirname(join(FOLDER, file)), { recursive: true });
    writeFileSync(join(FOLDER, file), text);
  }
  return [...files.keys()];
}
