import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { anchorsOf, linksOf, PAGES, ROOT } from './pages';
import { ruleCatalog } from '../../src/rules/catalog';
import { GENERATED_PAGES, renderRules } from '../../tools/docs';

/** Why a link leads nowhere, or undefined. Addresses outside of the project are not fetched. */
function brokenBecause(page: string, target: string): string | undefined {
  if (/^https?:\/\//.test(target)) return undefined;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(ROOT, file))) return 'there is no such file';
  const known = PAGES.find((each) => each.path === file);
  return anchor !== undefined && known && !anchorsOf(known).has(anchor) ? 'there is no such heading' : undefined;
}

describe('links between pages', () => {
  it.each(PAGES.map((page) => [page.path, page] as const))('%s leads only to what is there', (path, page) => {
    const broken = linksOf(page).flatMap(({ line, target }) => {
      const because = brokenBecause(path, target);
      return because ? [`${path}:${line} ${target}: ${because}`] : [];
    });
    expect(broken).toEqual([]);
  });

  it('has a guide page for each file that README names as one', () => {
    const guide = PAGES.filter(({ path }) => path.startsWith('docs/guide/')).map(({ path }) => path);
    const readme = linksOf(PAGES.find(({ path }) => path === 'README.md')!).map(({ target }) => target.split('#')[0]!);
    expect(guide.filter((path) => !readme.includes(path))).toEqual([]);
  });
});

describe('error codes', () => {
  it('explains every code under the anchor that error texts link to', () => {
    const anchors = anchorsOf(PAGES.find(({ path }) => path === 'docs/reference/rules.md')!);
    expect(ruleCatalog().map(({ code }) => code).filter((code) => !anchors.has(code.toLowerCase()))).toEqual([]);
  });

  it('names no code that does not exist, since readers look codes up', () => {
    const known = new Set(ruleCatalog().map(({ code }) => code));
    const unknown = PAGES.flatMap(({ path, lines }) => lines.flatMap((text, index) =>
      [...text.matchAll(/\bEV\d{4}\b/g)].filter(([code]) => !known.has(code)).map(([code]) => `${path}:${index + 1} ${code}`)));
    expect(unknown).toEqual([]);
  });

  it('is generated anew when a rule changes (npm run docs)', () => {
    for (const { path, render } of GENERATED_PAGES) expect(readFileSync(join(ROOT, path), 'utf8')).toBe(render());
  });

  it('renders the same page each time', () => {
    expect(renderRules()).toBe(renderRules());
  });
});

describe('wording', () => {
  it('names no folder of the machine that a page was written on', () => {
    const found = PAGES.flatMap(({ path, lines }) => lines.flatMap((text, index) =>
      (/(^|[\s`(])\/(work|root|home|Users)\//.test(text) ? [`${path}:${index + 1}`] : [])));
    expect(found).toEqual([]);
  });
});
