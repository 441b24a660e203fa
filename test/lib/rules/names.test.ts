import { isLabelValue, isQualifiedName } from '../../../src/rules/names';

describe('isQualifiedName', () => {
  it.each(['team', 'example.com/team', 'a', 'A_b.c-1', `${'a'.repeat(63)}`, 'x.y-z.io/A'])('takes %s', (key) => {
    expect(isQualifiedName(key)).toBe(true);
  });

  it.each(['', '/team', 'example.com/', 'Example.com/team', 'a/b/c', '-a', 'a-', 'a b', 'a'.repeat(64), `${'a'.repeat(254)}/x`, 'ä', 'a\n'])(
    'refuses %j, because the API server does', (key) => {
      expect(isQualifiedName(key)).toBe(false);
    });
});

describe('isLabelValue', () => {
  it('takes an empty value, which is a value too', () => {
    expect(isLabelValue('')).toBe(true);
    expect(isLabelValue('a'.repeat(63))).toBe(true);
    expect(isLabelValue('a'.repeat(64))).toBe(false);
    expect(isLabelValue('a/b')).toBe(false);
  });
});
