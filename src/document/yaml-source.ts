import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type Node, type ParsedNode, type Scalar } from 'yaml';
import type { Finding } from '../errors';
import { findingOf } from '../rules/run';
import { SHAPE_TEXTS } from '../rules/shape-texts';

type Path = ReadonlyArray<string | number>;

/** A value in the place of the document's own, as `--set` gives it. */
export interface Override {
  readonly path: Array<string | number>;
  readonly value: string;
}

/** One YAML document of a file, and where everything in it stands. */
export interface YamlSource {
  readonly document: Document;
  /** `file.yaml:12:5` of a field, or of the nearest one that is there; in a text in block style, of a line of it. */
  readonly position: (path: Path) => string;
}

/** The node under one key, and where the key itself stands. */
function step(node: unknown, key: string | number): { key?: Node; value?: Node } {
  if (isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
    return { key: pair?.key as Node | undefined, value: pair?.value as Node | undefined };
  }
  return isSeq(node) ? { value: node.items[Number(key)] as Node | undefined } : {};
}

function startOf(node: unknown): number | undefined {
  return (node as ParsedNode | undefined)?.range?.[0];
}

/** Offset of a line of a block (`|`); the lines of other texts have no places of their own. */
function lineOffset(node: Scalar, line: number, text: string): number | undefined {
  if (node.type !== 'BLOCK_LITERAL') return undefined;
  let offset = startOf(node) ?? 0;
  for (let passed = 0; passed <= line; passed++) {
    offset = text.indexOf('\n', offset) + 1;
    if (offset === 0) return undefined;
  }
  return offset + /^ */.exec(text.slice(offset, text.indexOf('\n', offset) + 1 || undefined))![0].length;
}

/**
 * Offset of a field, or of the nearest one that is there: its key where it has one, since that is where people look.
 */
function offsetOf(root: unknown, path: Path, text: string): number | undefined {
  let node = root;
  let offset = startOf(root);
  for (const part of path) {
    if (isScalar(node) && typeof part === 'number') return lineOffset(node, part, text) ?? offset;
    const { key, value } = step(node, part);
    offset = startOf(key) ?? startOf(value) ?? offset;
    if (!value) return offset;
    node = value;
  }
  return offset;
}

function at(file: string, counter: LineCounter, offset: number): string {
  const { line, col } = counter.linePos(offset);
  return `${file}:${line}:${col}`;
}

function syntaxFindings(documents: Document[], file: string, counter: LineCounter): Finding[] {
  return documents.flatMap((document) => document.errors).map((error) => ({
    ...findingOf(SHAPE_TEXTS.notYaml, { path: [], problem: error.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '') }),
    position: at(file, counter, error.pos[0]),
  }));
}

/** Documents of a text; the findings are those of the YAML itself. Empty documents (a trailing `---`) are left out. */
export function parseYaml(text: string, file: string): { sources: YamlSource[]; findings: Finding[] } {
  const counter = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: counter, uniqueKeys: true, merge: false, prettyErrors: true, logLevel: 'error' });
  const documents = (Array.isArray(parsed) ? parsed : []) as Document[];
  const sources = documents
    .filter((document) => document.contents !== null
      && !(isScalar(document.contents) && document.contents.value === null))
    .map((document): YamlSource => ({
      document,
      position: (path) => at(file, counter, offsetOf(document.contents, path, text) ?? 0),
    }));
  const findings = syntaxFindings(documents, file, counter);
  if (sources.length === 0 && findings.length === 0) {
    findings.push({ ...findingOf(SHAPE_TEXTS.notYaml, { path: [], problem: 'there is no document in it' }), position: file });
  }
  return { sources, findings };
}
