import { GOLDEN_SETS, readGolden } from '../support/golden';

const HINT = 'If the change is meant: npm run golden:update, and read the diff.';

describe('golden files', () => {
  for (const [set, make] of Object.entries(GOLDEN_SETS)) {
    it(`${set} are what is made now, because people have read them and apply them as they stand`, () => {
      const [made, golden] = [make(), readGolden(set)];
      expect({ hint: HINT, files: [...made.keys()].sort() }).toEqual({ hint: HINT, files: [...golden.keys()].sort() });
      for (const [file, text] of made) expect({ hint: HINT, file, text }).toEqual({ hint: HINT, file, text: golden.get(file) });
    });

    it(`${set} are short enough to be read: 350 lines at most in each file of manifests, which is a Pod of four containers`, () => {
      const long = [...readGolden(set)].filter(([file, text]) => file.endsWith('.yaml') && text.split('\n').length > 350);
      expect(long.map(([file]) => file)).toEqual([]);
    });
  }
});
