import { checkGalera } from '../check-galera';
import { checkPostgres } from '../check-postgres';
import { suggestion } from '../closest';
import { DEFAULT_NAMESPACE } from '../contract/names';
import { renderPath, type Finding } from '../errors';
import { toGaleraInput } from './galera';
import { checkKind, checkOpenEverestKind, CLUSTER_KIND, field, firstFindings, isOpenEverest, valueOf } from './kinds';
import { openEverestParts, openEverestStages } from './openeverest/cluster';
import type { OpenEverestCluster } from './openeverest/shape';
import { applyOverride } from './overrides';
import { isReference, mergeReferences, referencesIn, type References } from './references';
import { checkGaleraRelations, checkRelations } from './relations';
import { documentShape, galeraDocumentShape, type DatabaseClusterDocument, type GaleraDocument } from './shape';
import { toDocumentPath, toGaleraPath, toProps } from './to-props';
import { parseYaml, type Override, type YamlSource } from './yaml-source';
import type { PoolerOptions } from '../pooler';
import type { PostgresClusterProps } from '../postgres-cluster-props';
import type { GaleraInput } from '../resolve/galera';
import { storageUnknown } from '../rules/backup-valid';
import { findingOf } from '../rules/run';
import { SHAPE_TEXTS } from '../rules/shape-texts';
import { checkShape } from '../shape/findings';

const ENGINES = ['postgresql', 'mariadb', 'percona-xtradb-cluster'];

/** A PostgresCluster, and a pooler in front of it where the document has one. */
export interface PostgresParts {
  readonly engine?: 'postgresql';
  readonly props: PostgresClusterProps;
  readonly pooler?: PoolerOptions;
}

/** What one document becomes. */
export type ClusterParts = PostgresParts | GaleraInput;

/** One document, understood. */
export type ClusterDocument = ClusterParts & {
  readonly name: string;
  readonly namespace: string;
  readonly file: string;
  /** `file.yaml:3:1` of the document. */
  readonly position: string;
};

export interface ReadOptions {
  /** What errors call the text; default: `document`. */
  readonly file?: string;
  readonly overrides?: readonly Override[];
  /** For documents that name none; default: `default`. */
  readonly namespace?: string;
  /** What other texts describe and clusters of this one may name. */
  readonly references?: References;
}

/** How documents of one apiVersion are checked, in stages, and what they become. */
interface Dialect {
  readonly stages: (value: unknown, namespaceOf: () => string, references: References) => Array<() => Finding[]>;
  readonly parts: (value: unknown, references: References) => ClusterParts;
}

/** An engine that does not exist: nothing else in the document can be judged. */
function checkEngine(value: unknown): Finding[] {
  const engine = engineOf(value);
  if (typeof engine !== 'string' || ENGINES.includes(engine)) return [];
  const problem = `the engine ${JSON.stringify(engine)} is none of ${ENGINES.join(', ')}${suggestion(engine, ENGINES)}`;
  return [findingOf(SHAPE_TEXTS.wrongChoice, { path: ['spec', 'engine'], problem })];
}

function engineOf(value: unknown): unknown {
  return field(field(value, 'spec'), 'engine');
}

/** Names of storages that the document refers to, and where. */
function storageNames(spec: (DatabaseClusterDocument | GaleraDocument)['spec']): Array<[name: string | undefined, path: string[]]> {
  const { bootstrap, standby } = spec as Partial<DatabaseClusterDocument['spec']>;
  return [
    [spec.backup?.storageName, ['backup']], [bootstrap?.recover?.storageName, ['bootstrap', 'recover']],
    [standby?.storageName, ['standby']],
  ];
}

/** Whoever describes storages describes all of them: else a name that is misspelt would be taken for a Secret's. */
function unknownStorage(spec: (DatabaseClusterDocument | GaleraDocument)['spec'],
  { storages }: References): Finding[] {
  return storageNames(spec).flatMap(([name, path]) => {
    if (name === undefined || storages.size === 0 || storages.has(name)) return [];
    const problem = `no document describes the storage ${JSON.stringify(name)}${suggestion(name, [...storages.keys()])}`;
    return [findingOf(storageUnknown, { path: ['spec', ...path, 'storageName'], problem })];
  });
}

function checkCluster(document: DatabaseClusterDocument, namespace: string, { storages }: References): Finding[] {
  const findings = checkPostgres(document.metadata.name, namespace, toProps(document, storages));
  return findings.map((finding) => ({ ...finding, path: toDocumentPath(document.spec, [...finding.path]) }));
}

type Stages = Array<() => Finding[]>;

function postgresStages(document: DatabaseClusterDocument, namespaceOf: () => string,
  references: References): Stages {
  return [
    () => checkShape(documentShape, document),
    () => checkRelations(document.spec),
    () => unknownStorage(document.spec, references),
    () => checkCluster(document, namespaceOf(), references),
  ];
}

function galeraStages(document: GaleraDocument, namespaceOf: () => string, references: References): Stages {
  return [
    () => checkShape(galeraDocumentShape, document),
    () => checkGaleraRelations(document.spec),
    () => unknownStorage(document.spec, references),
    () => checkGalera(document.metadata.name, namespaceOf(), toGaleraInput(document, references.storages))
      .map((finding) => ({ ...finding, path: toGaleraPath(document.spec, [...finding.path]) })),
  ];
}

function isGalera(value: unknown): value is GaleraDocument {
  const engine = engineOf(value);
  return engine === 'mariadb' || engine === 'percona-xtradb-cluster';
}

/** Documents of this project. */
const OWN: Dialect = {
  stages: (value, namespaceOf, references) => [
    () => checkKind(value, CLUSTER_KIND),
    () => checkEngine(value),
    ...(isGalera(value) ? galeraStages(value, namespaceOf, references)
      : postgresStages(value as DatabaseClusterDocument, namespaceOf, references)),
  ],
  parts: (value, { storages }) => (isGalera(value)
    ? toGaleraInput(value, storages)
    : { props: toProps(value as DatabaseClusterDocument, storages) }),
};

/** Documents that OpenEverest's operator would read. */
const OPENEVEREST: Dialect = {
  stages: (value, namespaceOf, references) => [
    () => checkOpenEverestKind(value),
    ...openEverestStages(value, namespaceOf, references),
  ],
  parts: (value, references) => openEverestParts(value as OpenEverestCluster, references),
};

/** A value that came from `--set` stands nowhere in the file. */
function positionOf(source: YamlSource, { overrides = [] }: ReadOptions, { path }: Finding): string {
  const set = overrides.find((override) => override.path.every((part, index) => String(path[index]) === String(part)));
  return set ? `--set ${renderPath(set.path)}` : source.position(path);
}

/** A line of `config` has helped to find the place; in the path it would be an index into a text. */
function placed(source: YamlSource, options: ReadOptions, finding: Finding): Finding {
  const line = typeof finding.path.at(-1) === 'number' && finding.path.at(-2) === 'config';
  return {
    ...finding,
    position: finding.position ?? positionOf(source, options, finding),
    path: line ? finding.path.slice(0, -1) : finding.path,
  };
}

function readSource(source: YamlSource, options: ReadOptions,
  references: References): { cluster?: ClusterDocument; findings: Finding[] } {
  const fallback = options.namespace ?? DEFAULT_NAMESPACE;
  const overridden = (options.overrides ?? []).flatMap((override) => applyOverride(source, override));
  const { value, findings: unreadable } = valueOf(source);
  const metadataOf = () => (value as { metadata: { name: string; namespace?: string } }).metadata;
  const namespaceOf = () => metadataOf().namespace ?? fallback;
  const dialect = isOpenEverest(value) ? OPENEVEREST : OWN;
  const stages = dialect.stages(value, namespaceOf, references);
  const findings = firstFindings(() => [...overridden, ...unreadable], ...stages)
    .map((finding) => placed(source, options, finding));
  if (findings.length > 0) return { findings };
  const parts = dialect.parts(value, references);
  const cluster = {
    ...parts,
    name: metadataOf().name,
    namespace: namespaceOf(),
    props: { ...parts.props, namespace: namespaceOf() },
    file: options.file ?? 'document',
    position: source.position([]),
  } as ClusterDocument;
  return { cluster, findings };
}

/** What clusters of other texts may name in this one; what is wrong with it is told when it is read itself. */
export function readReferences(text: string): References {
  return referencesIn(parseYaml(text, '').sources).references;
}

/** All clusters of a text, and everything that is wrong with it. */
export function readClusters(text: string,
  options: ReadOptions = {}): { clusters: ClusterDocument[]; findings: Finding[] } {
  const { sources, findings } = parseYaml(text, options.file ?? 'document');
  if (findings.length > 0) return { clusters: [], findings };
  const own = referencesIn(sources);
  const references = options.references ? mergeReferences(options.references, own.references) : own.references;
  const results = sources.filter((source) => !isReference(source))
    .map((source) => readSource(source, options, references));
  return {
    clusters: results.flatMap(({ cluster }) => (cluster ? [cluster] : [])),
    findings: [...own.findings, ...results.flatMap((result) => result.findings)],
  };
}
