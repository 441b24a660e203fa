import fc from 'fast-check';
import { parse } from 'yaml';
import { renderYaml } from '../../../src/render/yaml';

describe('renderYaml', () => {
  it('writes maps and lists as people do', () => {
    expect(renderYaml({ a: { b: [1, { c: 'x', d: [] }, [true, 'y z']] }, g: {}, h: null })).toBe(
      'a:\n  b:\n    - 1\n    - c: x\n      d: []\n    - - true\n      - y z\ng: {}\nh: null\n');
  });

  it.each(['on', 'Yes', 'n', 'null', '1', '0.9', '1e3', 'e+0', '_1.5', '0x10', '1:30', '2020-01-01', '', ' a', 'a ', 'a: b', 'a #b', 'a:', '*:80', '%m', '- a', '~', '<<', '=', '.inf', '@a', '`a', 'a\nb', '\u0085', '\u2028'])(
    'quotes %j, because some YAML reads something else there', (text) => {
      expect(renderYaml({ key: text })).toMatch(/^key: "/);
    });

  it.each(['app', '15min', '10MB', '/pgdata/pg17', 'host all all 10.0.0.0/8 scram-sha-256', 'scram-sha-256', 'fd00::/8 x'])(
    'leaves %j as it is, because quotes everywhere are hard to read', (text) => {
      expect(renderYaml({ key: text })).toBe(`key: ${text}\n`);
    });

  it('is read back as what it was by YAML 1.1 and 1.2, whatever the text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }), fc.string(), fc.constantFrom('on', 'No', '1_000', '12:30:45', '0b1', '0o7', '.NaN', 'key: value', '- x', '#', '!tag', '&a', '\u00a0', '\ufeff'),
      fc.stringMatching(/^[A-Za-z0-9_./:@%+,=() #-]{0,12}$/),
    );
    const value = fc.letrec((tie) => ({
      node: fc.oneof({ depthSize: 'small' }, text, fc.integer(), fc.boolean(), tie('list'), tie('map')),
      list: fc.array(tie('node'), { maxLength: 4 }),
      map: fc.dictionary(text.filter((key) => key !== '__proto__'), tie('node'), { maxKeys: 4, noNullPrototype: true }),
    })).map;
    fc.assert(fc.property(value, (given) => {
      for (const version of ['1.1', '1.2'] as const) expect(parse(renderYaml(given as object), { version })).toEqual(given);
    }), { numRuns: 3000 });
  });
});
