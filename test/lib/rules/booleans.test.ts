import { parseBoolean } from '../../../src/rules/booleans';

describe('parseBoolean', () => {
  it.each([['on', true], ['T', true], ['ye', true], ['1', true], ['of', false], [' OFF ', false], ['n', false], ['0', false]])(
    'reads %j as PostgreSQL does', (text, value) => {
      expect(parseBoolean(text)).toBe(value);
    });

  it.each(['o', '', 'onn', '2', 'enabled'])('does not read %j, because PostgreSQL does not', (text) => {
    expect(parseBoolean(text)).toBeUndefined();
  });
});
