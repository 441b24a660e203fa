import { closest, suggestion } from '../../src/closest';

const KNOWN = ['instances', 'storage', 'size', 'walSize', 'shared_buffers'];

describe('closest', () => {
  it.each([['instnces', 'instances'], ['Storage', 'storage'], ['sise', 'size'], ['wal_size', 'walSize'], ['shared_bufers', 'shared_buffers']])(
    'finds for %s the word that was meant', (word, meant) => {
      expect(closest(word, KNOWN)).toBe(meant);
    });

  it.each(['backup', '', 'x'.repeat(5000)])('finds nothing for %.20s, because a wild guess misleads', (word) => {
    expect(closest(word, KNOWN)).toBeUndefined();
  });

  it('takes a swap of neighbours for one slip, because fingers do that', () => {
    expect(closest('isze', ['size', 'isxx'])).toBe('size');
  });
});

describe('suggestion', () => {
  it('is text that fits behind a message, or nothing', () => {
    expect(suggestion('sizes', KNOWN)).toBe('; did you mean size?');
    expect(suggestion('quorum', KNOWN)).toBe('');
  });
});
