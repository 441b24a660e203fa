import type { BackupStorage } from '../backup-storage';
import { checkPostgres } from '../check-postgres';
import { closest, suggestion } from '../closest';
import { storageDocumentShape, toStorage, type StorageDocument } from './backup';
import { DEFAULT_NAMESPACE } from '../contract/names';
import { renderPath, type Finding } from '../errors';
import type { PostgresClusterProps } from '../postgres-cluster-props';
import { applyOverride } from './overrides';
import { checkRelations } from './relations';
import { documentShape, type DatabaseClusterDocument } from './shape';
import { toDocumentPath, toProps } from './to-props';
import { parseYaml, type Override, type YamlSource } from './yaml-source';
import { storageUnknown } from '../rules/backup-valid';
import { findingOf } from '../rules/run';
import { SHAPE_TEXTS } from '../rules/shape-texts';
import { checkShape } from '../shape/findings';

/** apiVersion of the documents that are read. */
export const API_VERSION = 'everest.io/v1alpha1';
const KIND = 'DatabaseCluster';
const STORAGE_KIND = 'BackupStorage';
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
  /** Storages of other texts, by name. */
  readonly storages?: ReadonlyMap<string, BackupStorage>;
}

/** Storages by name. */
type Storages = ReadonlyMap<string, BackupStorage>;

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Whether the document is one of ours at all: everything else about another kind would be noise. */
function checkKind(value: unknown, kind: string = KIND): Finding[] {
  const given = { apiVersion: field(value, 'apiVersion'), kind: field(value, 'kind') };
  const wanted = { apiVersion: API_VERSION, kind };
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

function unknownStorage({ backup }: DatabaseClusterDocument['spec'], storages: Storages): Finding[] {
  if (!backup || storages.has(backup.storageName)) return [];
  const known = [...storages.keys()];
  const problem = `no document describes the storage ${JSON.stringify(backup.storageName)}${suggestion(backup.storageName, known)}`;
  return [findingOf(storageUnknown, { path: ['spec', 'backup', 'storageName'], problem })];
}

function checkCluster(document: DatabaseClusterDocument, namespace: string, storages: Storages): Finding[] {
  const findings = checkPostgres(document.metadata.name, namespace, toProps(document, storages));
  return findings.map((finding) => ({ ...finding, path: toDocumentPath(document.spec, [...finding.path]) }));
}

function readSource(source: YamlSource, options: ReadOptions,
  storages: Storages): { cluster?: ClusterDocument; findings: Finding[] } {
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
    () => unknownStorage(document.spec, storages),
    () => checkCluster(document, namespaceOf(), storages),
  ).map((finding): Finding => ({ ...finding, position: finding.position ?? positionOf(source, options, finding) }));
  if (findings.length > 0) return { findings };
  const props = { ...toProps(document, storages), namespace: namespaceOf() };
  const cluster = { name: document.metadata.name, namespace: namespaceOf(), props, file: options.file ?? 'document', position: source.position([]) };
  return { cluster, findings };
}

function isStorage(source: YamlSource): boolean {
  return source.document.get('kind') === STORAGE_KIND;
}

/** One way to log in. */
function checkAccess({ spec }: StorageDocument): Finding[] {
  if ((spec.credentialsSecretName === undefined) !== (spec.roleArn === undefined)) return [];
  return [findingOf(SHAPE_TEXTS.wrongChoice, {
    path: ['spec'],
    problem: `${spec.roleArn === undefined ? 'neither' : 'both'} of credentialsSecretName and roleArn are there`,
    fix: 'Give one of them',
  })];
}

function storagesIn(sources: readonly YamlSource[]): { storages: Map<string, BackupStorage>; findings: Finding[] } {
  const storages = new Map<string, BackupStorage>();
  const findings = sources.filter(isStorage).flatMap((source) => {
    const { value, findings: unreadable } = valueOf(source);
    const document = value as StorageDocument;
    const found = firstFindings(
      () => unreadable,
      () => checkKind(value, STORAGE_KIND),
      () => checkShape(storageDocumentShape, value),
      () => checkAccess(document),
      () => (storages.has(document.metadata.name) ? [findingOf(storageUnknown, {
        path: ['metadata', 'name'], problem: `a second storage is called ${JSON.stringify(document.metadata.name)}`, fix: 'Give it another name',
      })] : []),
    );
    if (found.length === 0) storages.set(document.metadata.name, toStorage(document));
    return found.map((finding): Finding => ({ ...finding, position: source.position(finding.path) }));
  });
  return { storages, findings };
}

/** The storages of a text, for clusters in others; what is wrong with it is told when it is read itself. */
export function readStorages(text: string): Map<string, BackupStorage> {
  return storagesIn(parseYaml(text, '').sources).storages;
}

/** All clusters of a text, and everything that is wrong with it. */
export function readClusters(text: string,
  options: ReadOptions = {}): { clusters: ClusterDocument[]; findings: Finding[] } {
  const { sources, findings } = parseYaml(text, options.file ?? 'document');
  if (findings.length > 0) return { clusters: [], findings };
  const own = storagesIn(sources);
  const storages = new Map([...options.storages ?? [], ...own.storages]);
  const results = sources.filter((source) => !isStorage(source)).map((source) => readSource(source, options, storages));
  return {
    clusters: results.flatMap(({ cluster }) => (cluster ? [cluster] : [])),
    findings: [...own.findings, ...results.flatMap((result) => result.findings)],
  };
}
