/**
 * `npm run golden:update [SET…]`: writes the golden files under test/golden anew. Read the diff before you commit it.
 */
import { GOLDEN_SETS, writeGolden } from '../test/support/golden';

const wanted = process.argv.slice(2);
const unknown = wanted.filter((set) => !Object.hasOwn(GOLDEN_SETS, set));
if (unknown.length > 0) {
  process.stderr.write(`there is no golden set ${unknown.join(', ')}; there are ${Object.keys(GOLDEN_SETS).join(', ')}\n`);
  process.exitCode = 1;
} else {
  for (const set of wanted.length > 0 ? wanted : Object.keys(GOLDEN_SETS)) {
    process.stdout.write(`${set}: ${writeGolden(set).length} files\n`);
  }
}
