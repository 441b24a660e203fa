import { checkPostgres } from '../check-postgres';
import { closest, suggestion } from '../closest';
import { DEFAULT_NAMESPACE } from '../contract/names';
import { renderPath, type Finding } from '../errors';
import type { PostgresClusterProps } from '../postgres-cluster-props';
import { applyOverride } from './overrides';
import { checkRelations } from './relations';
import { documentShape, type DatabaseClusterDocument } from './shape';
import { toDocumentPath, toProps } from './to-props';
import { parseYaml, type Override, type YamlSource } from './yaml-source';
import { findingOf } from '../rules/run';
import { SHAPE_TEXTS } from '../rules/shape-texts';
import { checkShape } from '../shape/findings';

/** apiVersion of the documents that are read. */
export const API_VERSION = 'everest.io/v1alpha1';
const KIND = 'DatabaseCluster';
const ENGINES = ['postgresql', 'percona-xtradb-cluster'];

/** One document, understood. */
export interface ClusterDocument {
  readonly name: string;
  readonly namespace: string;
  readonly props: PostgresClusterProps;
  readonly file: string;
  /** `file.yaml:3:1` of the document. */
  readonly position: string;
}

export interface ReadOptions {
  /** What errors call the text; default: `document`. */
  readonly file?: string;
  readonly overrides?: readonly Override[];
  /** For documents that name none; default: `default`. */
  readonly namespace?: string;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Whether the document is one of ours at all: everything else about another kind would be noise. */
function checkKind(value: unknown): Finding[] {
  const given = { apiVersion: field(value, 'apiVersion'), kind: field(value, 'kind') };
  const wanted = { apiVersion: API_VERSION, kind: KIND };
  return (['apiVersion', 'kind'] as const).filter((name) => given[name] !== wanted[name]).map((name) => {
    const shown = given[name] === undefined ? `${name} is missing` : `${name} is ${JSON.stringify(given[name])}`;
    const meant = typeof given[name] === 'string' && closest(given[name], [wanted[name]]) ? `; did you mean ${wanted[name]}?` : '';
    return findingOf(SHAPE_TEXTS.unknownKind, { path: [name], problem: shown + meant });
  });
}

/** An engine of a later version, or one that does not exist: nothing else in the document can be judged. */
function checkEngine(value: unknown): Finding[] {
  const engine = field(field(value, 'spec'), 'engine');
  const path = ['spec', 'engine'];
  if (engine === 'percona-xtradb-cluster') {
    return [findingOf(SHAPE_TEXTS.notYet, { path, problem: `engine ${engine} comes with PxcCluster`, fix: 'Use engine: postgresql, or wait for the version with PxcCluster' })];
  }
  if (typeof engine !== 'string' || ENGINES.includes(engine)) return [];
  const problem = `the engine ${JSON.stringify(engine)} is none of ${ENGINES.join(', ')}${suggestion(engine, ENGINES)}`;
  return [findingOf(SHAPE_TEXTS.wrongChoice, { path, problem })];
}

/** The document's value, or the reason why it has none (an alias without an anchor, too many aliases). */
function valueOf(source: YamlSource): { value?: unknown; findings: Finding[] } {
  try {
    return { value: source.document.toJS({ maxAliasCount: 50 }), findings: [] };
  } catch (error) {
    const problem = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    return { findings: [findingOf(SHAPE_TEXTS.notYaml, { path: [], problem })] };
  }
}

/** The first stage that finds something ends the check: later ones would only repeat it. */
function firstFindings(...stages: Array<() => Finding[]>): Finding[] {
  for (const stage of stages) {
    const findings = stage();
    if (findings.length > 0) return findings;
  }
  return [];
}

/** A value that came from `--set` stands nowhere in the file. */
function positionOf(source: YamlSource, { overrides = [] }: ReadOptions, { path }: Finding): string {
  const set = overrides.find((override) => override.path.every((part, index) => String(path[index]) === String(part)));
  return set ? `--set ${renderPath(set.path)}` : source.position(path);
}

function checkCluster(document: DatabaseClusterDocument, namespace: string): Finding[] {
  const findings = checkPostgres(document.metadata.name, namespace, toProps(document));
  return findings.map((finding) => ({ ...finding, path: toDocumentPath(document.spec, [...finding.path]) }));
}

function readSource(source: YamlSource, options: ReadOptions): { cluster?: ClusterDocument; findings: Finding[] } {
  const fallback = options.namespace ?? DEFAULT_NAMESPACE;
  const overridden = (options.overrides ?? []).flatMap((override) => applyOverride(source, override));
  const { value, findings: unreadable } = valueOf(source);
  const document = value as DatabaseClusterDocument;
  const namespaceOf = () => document.metadata.namespace ?? fallback;
  const findings = firstFindings(
    () => [...overridden, ...unreadable],
    () => checkKind(value),
    () => checkEngine(value),
    () => checkShape(documentShape, value),
    () => checkRelations(document.spec),
    () => checkCluster(document, namespaceOf()),
  ).map((finding): Finding => ({ ...finding, position: finding.position ?? positionOf(source, options, finding) }));
  if (findings.length > 0) return { findings };
  const props = { ...toProps(document), namespace: namespaceOf() };
  const cluster = { name: document.metadata.name, namespace: namespaceOf(), props, file: options.file ?? 'document', position: source.position([]) };
  return { cluster, findings };
}

/** All clusters of a text, and everything that is wrong with it. */
export function readClusters(text: string,
  options: ReadOptions = {}): { clusters: ClusterDocument[]; findings: Finding[] } {
  const { sources, findings } = parseYaml(text, options.file ?? 'document');
  if (findings.length > 0) return { clusters: [], findings };
  const results = sources.map((source) => readSource(source, options));
  return {
    clusters: results.flatMap(({ cluster }) => (cluster ? [cluster] : [])),
    findings: results.flatMap((result) => result.findings),
  };
}
