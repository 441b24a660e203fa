import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/* The pages of the documentation, taken apart: blocks of code, links, headings. */

export const ROOT = resolve(__dirname, '..', '..');

/** One fenced block. Its info string is a language and words: ```ts fixture=chart fails=EV1202 */
export interface Block {
  readonly page: string;
  /** Line of the opening fence, from 1 on. */
  readonly line: number;
  readonly language: string;
  readonly info: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface Link {
  readonly page: string;
  readonly line: number;
  readonly target: string;
}

export interface Page {
  /** Path from the project's root. */
  readonly path: string;
  readonly lines: string[];
  readonly blocks: Block[];
}

function markdownFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md')).sort().map((name) => join(folder, name));
}

/** `fixture=chart title="A title"` */
function parseInfo(words: string): Record<string, string> {
  return Object.fromEntries([...words.matchAll(/(\w+)=(?:"([^"]*)"|(\S+))/g)].map(([, key, quoted, plain]) => [key, quoted ?? plain ?? '']));
}

function blocksOf(page: string, lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; line: number; language: string; info: Record<string, string>; text: string[] } | undefined;
  lines.forEach((line, index) => {
    const fence = /^(`{3,})\s*(\w*)(.*)$/.exec(line);
    if (!open && fence) {
      open = { fence: fence[1]!, line: index + 1, language: fence[2]!, info: parseInfo(fence[3]!), text: [] };
    } else if (open && line === open.fence) {
      blocks.push({ page, line: open.line, language: open.language, info: open.info, text: open.text.join('\n') });
      open = undefined;
    } else {
      open?.text.push(line);
    }
  });
  if (open) throw new Error(`${page}:${open.line}: the block has no end`);
  return blocks;
}

function readPage(path: string): Page {
  const lines = readFileSync(join(ROOT, path), 'utf8').split('\n');
  return { path, lines, blocks: blocksOf(path, lines) };
}

/** All pages that people wrote, and those that are generated. */
export const PAGES: readonly Page[] = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...markdownFiles('docs')].map(readPage);

export function blocksIn(...languages: string[]): Block[] {
  return PAGES.flatMap(({ blocks }) => blocks).filter(({ language }) => languages.includes(language));
}

/** What tests call a block, so that an editor opens it from the report. */
export function nameOf({ page, line }: Block): string {
  return `${page}:${line}`;
}

/** Lines outside of code blocks; inline code is blanked, since nothing in it is a link. */
export function proseOf(page: Page): Array<{ line: number; text: string }> {
  const inside = new Set(page.blocks.flatMap(({ line, text }) =>
    Array.from({ length: text.split('\n').length + 2 }, (_, index) => line + index)));
  return page.lines.map((text, index) => ({ line: index + 1, text: text.replace(/`[^`]*`/g, '') })).filter(({ line }) => !inside.has(line));
}

export function linksOf(page: Page): Link[] {
  return proseOf(page).flatMap(({ line, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => ({ page: page.path, line, target: match[1]! })));
}

/** Anchors as GitHub makes them from headings. */
export function anchorsOf(page: Page): Set<string> {
  const inside = new Set(page.blocks.flatMap(({ line, text }) => Array.from({ length: text.split('\n').length }, (_, index) => line + 1 + index)));
  const headings = page.lines.filter((text, index) => /^#{1,6} /.test(text) && !inside.has(index + 1));
  return new Set(headings.map((heading) => heading.replace(/^#+ /, '').toLowerCase().replace(/[^\w\- ]/g, '').replace(/ /g, '-')));
}
