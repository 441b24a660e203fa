import { findRule, renderRule, ruleCatalog } from '../../../src/rules/catalog';

describe('findRule', () => {
  it.each(['EV1203', 'ev1203', ' Ev1203 '])('finds %j, because people type codes by hand', (code) => {
    expect(findRule(code)?.code).toBe('EV1203');
  });

  it('finds nothing for what is no code', () => {
    expect(findRule('EV9999')).toBeUndefined();
  });
});

describe('ruleCatalog', () => {
  it('is in the order of codes, because people leaf through it', () => {
    const codes = ruleCatalog().map(({ code }) => code);
    expect(codes).toEqual([...codes].sort());
  });
});

describe('renderRule', () => {
  it('has cause, consequence and fix as sentences', () => {
    expect(renderRule({ code: 'EV1000', title: 'T', cause: 'Because.', consequence: 'It breaks', fix: 'Mend it' })).toBe(
      'EV1000: T\n\nCause:       Because.\nConsequence: It breaks.\nFix:         Mend it.\n');
  });
});
