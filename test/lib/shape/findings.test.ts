import { z } from 'zod';
import { renderPath } from '../../../src/errors';
import { checkShape, schemaAt, typesAt } from '../../../src/shape/findings';

const SHAPE = z.strictObject({
  name: z.string(),
  size: z.union([z.string(), z.number()]).optional(),
  mode: z.enum(['even', 'odd']).optional(),
  list: z.array(z.strictObject({ count: z.number() })).optional(),
  map: z.record(z.string(), z.string()).optional(),
});

function brief(value: unknown): string[] {
  return checkShape(SHAPE, value).map(({ code, path, problem }) => `${code} ${renderPath(path)}: ${problem}`);
}

describe('checkShape', () => {
  it('has nothing against what fits', () => {
    expect(brief({ name: 'x', size: 1, mode: 'even', list: [{ count: 1 }], map: { a: 'b' } })).toEqual([]);
  });

  it('reports everything at once, because people correct in one go', () => {
    expect(brief({ nam: 'x', list: [{ count: '1' }, { cont: 1 }], mode: 'evn' })).toEqual([
      'EV1003 name: name is missing; it is text',
      'EV1004 mode: the text "evn" is none of even, odd; did you mean even?',
      'EV1002 list[0].count: the text "1" stands where a number belongs',
      'EV1003 list[1].count: count is missing; it is a number',
      'EV1001 list[1].cont: there is no field "cont"; did you mean count?',
      'EV1001 nam: there is no field "nam"; did you mean name?',
    ]);
  });

  it.each([[null, 'nothing'], [undefined, ''], [[], 'a list'], ['x', 'the text "x"'], [() => 1, 'a function'], [1n, 'bigint 1'], [Symbol('s'), 'symbol Symbol(s)']])(
    'describes %p in words, because [object Object] helps nobody', (value, words) => {
      expect(brief(value)).toEqual([expect.stringContaining(value === undefined ? 'everything is missing' : `${words} stands where a map belongs`)]);
    });

  it('names all types of a field that takes several', () => {
    expect(brief({ name: 'x', size: true })).toEqual(['EV1002 size: boolean true stands where text or a number belongs']);
  });

  it('tells how to write a number that is meant as text, because YAML turns 17 into one', () => {
    expect(checkShape(SHAPE, { name: 17 })[0]!.fix).toBe('Put it in quotes: "17"');
  });

  it('shows a long text only in part, because it may be a whole file', () => {
    expect(brief({ name: 'x', map: 'y'.repeat(500) })[0]!.length).toBeLessThan(150);
  });
});

describe('schemaAt', () => {
  it('follows names and indexes, because overrides come with such paths', () => {
    expect(typesAt(SHAPE, ['list', 3, 'count'])).toEqual(['number']);
    expect(typesAt(SHAPE, ['size'])).toEqual(['string', 'number']);
    expect(typesAt(SHAPE, ['map', 'any'])).toEqual(['string']);
    expect(schemaAt(SHAPE, ['nothing', 'here'])).toBeUndefined();
    expect(schemaAt(SHAPE, ['constructor'])).toBeUndefined();
  });
});
