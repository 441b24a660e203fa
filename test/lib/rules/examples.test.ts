import { renderPath, type Finding } from '../../../src/errors';
import { ruleCatalog } from '../../../src/rules/catalog';
import { RULE_EXAMPLES } from '../../support/rule-examples';

function brief(findings: readonly Finding[]): string[] {
  return findings.map(({ code, path }) => `${code} ${renderPath(path)}`.trim());
}

describe('rules', () => {
  it.each(RULE_EXAMPLES.map((example) => [example.code, example.mistake, example] as const))(
    '%s refuses %s, and says where', (code, _, { at, bad }) => {
      // Exactly one finding: a second one would be noise, or the sign of an example that proves something else.
      expect(brief(bad())).toEqual([`${code} ${at}`.trim()]);
    });

  it.each(RULE_EXAMPLES.map((example) => [example.code, example.mistake, example] as const))(
    '%s has nothing against the opposite of %s, because a rule that always speaks helps nobody', (_code, _mistake, { good }) => {
      expect(brief(good())).toEqual([]);
    });

  it('have an example each, because a rule that vanishes would not be missed otherwise', () => {
    const shown = new Set(RULE_EXAMPLES.map(({ code }) => code));
    expect(ruleCatalog().map(({ code }) => code).filter((code) => !shown.has(code))).toEqual([]);
    expect([...shown].filter((code) => !ruleCatalog().some((rule) => rule.code === code))).toEqual([]);
  });

  it('have codes of their own, because people look them up', () => {
    const codes = ruleCatalog().map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.filter((code) => !/^EV[12]\d{3}$/.test(code))).toEqual([]);
  });

  it('explain cause, consequence and fix in words without placeholders, because people read them', () => {
    const texts = ruleCatalog().flatMap(({ title, cause, consequence, fix }) => [title, cause, consequence, fix]);
    expect(texts.filter((text) => text.length < 12 || text.includes('${') || text.includes('undefined'))).toEqual([]);
  });
});
