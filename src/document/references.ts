import { storageDocumentShape, toStorage, type StorageDocument } from './backup';
import { checkKind, firstFindings, valueOf } from './kinds';
import { OPENEVEREST_VERSION } from './openeverest/kinds';
import { checkPolicy, toPolicy, type SchedulingPolicy } from './openeverest/placement';
import { refusedFields } from './openeverest/refused';
import {
  monitoringShape, policyShape, storageShape, type MonitoringDocument, type OpenEverestStorage, type PolicyDocument,
} from './openeverest/shape';
import { checkStorage, toOpenEverestStorage } from './openeverest/storage';
import type { YamlSource } from './yaml-source';
import type { BackupStorage } from '../backup-storage';
import type { Finding } from '../errors';
import { storageUnknown } from '../rules/backup-valid';
import { findingOf } from '../rules/run';
import { SHAPE_TEXTS } from '../rules/shape-texts';
import { checkShape } from '../shape/findings';

/* Documents that make nothing by themselves: clusters name them. */

/** What clusters may name, by name. */
export interface References {
  readonly storages: ReadonlyMap<string, BackupStorage>;
  readonly policies: ReadonlyMap<string, SchedulingPolicy>;
  readonly monitoring: ReadonlyMap<string, MonitoringDocument['spec']>;
}

interface Collected extends References {
  readonly storages: Map<string, BackupStorage>;
  readonly policies: Map<string, SchedulingPolicy>;
  readonly monitoring: Map<string, MonitoringDocument['spec']>;
}

/** Checks of one document, in stages, and where it is kept. */
interface Reading {
  readonly stages: Array<() => Finding[]>;
  readonly known: ReadonlyMap<string, unknown>;
  readonly keep: () => void;
}

const KINDS = ['BackupStorage', 'MonitoringConfig', 'PodSchedulingPolicy'] as const;
type Kind = typeof KINDS[number];

function kindOf(source: YamlSource): Kind | undefined {
  return KINDS.find((kind) => kind === source.document.get('kind'));
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

function ownStorage(value: unknown, { storages }: Collected): Reading {
  const document = value as StorageDocument;
  return {
    known: storages,
    stages: [
      () => checkKind(value, 'BackupStorage'),
      () => checkShape(storageDocumentShape, value),
      () => checkAccess(document),
    ],
    keep: () => storages.set(document.metadata.name, toStorage(document)),
  };
}

function openEverestStorage(value: unknown, { storages }: Collected): Reading {
  const document = value as OpenEverestStorage;
  return {
    known: storages,
    stages: [() => checkShape(storageShape, value), () => refusedFields(value), () => checkStorage(document)],
    keep: () => storages.set(document.metadata.name, toOpenEverestStorage(document)),
  };
}

function monitoringConfig(value: unknown, { monitoring }: Collected): Reading {
  const document = value as MonitoringDocument;
  return {
    known: monitoring,
    stages: [() => checkShape(monitoringShape, value), () => refusedFields(value), () => checkStorage(document)],
    keep: () => monitoring.set(document.metadata.name, document.spec),
  };
}

function schedulingPolicy(value: unknown, { policies }: Collected): Reading {
  const document = value as PolicyDocument;
  return {
    known: policies,
    stages: [() => checkShape(policyShape, value), () => refusedFields(value), () => checkPolicy(document)],
    keep: () => policies.set(document.metadata.name, toPolicy(document)),
  };
}

const READERS = {
  BackupStorage: openEverestStorage, MonitoringConfig: monitoringConfig, PodSchedulingPolicy: schedulingPolicy,
};

function readingOf(kind: Kind, value: unknown, version: unknown, collected: Collected): Reading {
  if (version === OPENEVEREST_VERSION) return READERS[kind](value, collected);
  if (kind === 'BackupStorage') return ownStorage(value, collected);
  return { stages: [() => checkKind(value, kind, OPENEVEREST_VERSION)], known: new Map(), keep: () => undefined };
}

function second(name: string, { known }: Reading): Finding[] {
  return known.has(name) ? [findingOf(storageUnknown, {
    path: ['metadata', 'name'], problem: `a second document of this kind is called ${JSON.stringify(name)}`, fix: 'Give it another name',
  })] : [];
}

function readOne(source: YamlSource, kind: Kind, collected: Collected): Finding[] {
  const { value, findings: unreadable } = valueOf(source);
  const reading = readingOf(kind, value, source.document.get('apiVersion'), collected);
  const nameOf = () => (value as { metadata: { name: string } }).metadata.name;
  const found = firstFindings(() => unreadable, ...reading.stages, () => second(nameOf(), reading));
  if (found.length === 0) reading.keep();
  return found.map((finding): Finding => ({ ...finding, position: source.position(finding.path) }));
}

/** Whether the document is one that clusters name. */
export function isReference(source: YamlSource): boolean {
  return kindOf(source) !== undefined;
}

/** Everything in the documents that clusters may name, and what is wrong with it. */
export function referencesIn(sources: readonly YamlSource[]): { references: References; findings: Finding[] } {
  const references: Collected = { storages: new Map(), policies: new Map(), monitoring: new Map() };
  const findings = sources.flatMap((source) => {
    const kind = kindOf(source);
    return kind ? readOne(source, kind, references) : [];
  });
  return { references, findings };
}

/** Two sets of references as one; the later ones count. */
export function mergeReferences(...all: readonly References[]): References {
  return {
    storages: new Map(all.flatMap(({ storages }) => [...storages])),
    policies: new Map(all.flatMap(({ policies }) => [...policies])),
    monitoring: new Map(all.flatMap(({ monitoring }) => [...monitoring])),
  };
}

