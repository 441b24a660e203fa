import { checkOpenEverest } from './checks';
import type { SchedulingPolicy } from './placement';
import { refusedFields } from './refused';
import { clusterShape, type OpenEverestCluster, type OpenEverestSpec } from './shape';
import { checkForPostgres, storageNames, toOpenEverestPath, toPostgres, type PostgresParts } from './to-postgres';
import { checkPooler, checkPostgres } from '../../check-postgres';
import { suggestion } from '../../closest';
import type { Finding } from '../../errors';
import { storageUnknown } from '../../rules/backup-valid';
import { findingOf } from '../../rules/run';
import { SHAPE_TEXTS } from '../../rules/shape-texts';
import { checkShape } from '../../shape/findings';
import { field, firstFindings } from '../kinds';
import type { References } from '../references';

/* A DatabaseCluster of `everest.percona.com/v1alpha1`: what is wrong with it, and what it becomes. */

const ENGINES = ['postgresql', 'pxc'];

/** MongoDB, or an engine that does not exist: nothing else in the document can be judged. */
function checkEngine(value: unknown): Finding[] {
  const path = ['spec', 'engine', 'type'];
  const engine = field(field(field(value, 'spec'), 'engine'), 'type');
  if (typeof engine !== 'string' || ENGINES.includes(engine)) return [];
  if (engine === 'psmdb') {
    return [findingOf(SHAPE_TEXTS.noCounterpart, { path, problem: 'psmdb is MongoDB, which is not supported', fix: `Use ${ENGINES.join(' or ')}` })];
  }
  const problem = `the engine ${JSON.stringify(engine)} is none of ${ENGINES.join(', ')}${suggestion(engine, ENGINES)}`;
  return [findingOf(SHAPE_TEXTS.wrongChoice, { path, problem })];
}

function unknownStorages(spec: OpenEverestSpec, { storages }: References): Finding[] {
  const schedules = (spec.backup?.schedules ?? []).map(({ backupStorageName: name }, index) =>
    ({ name, path: ['spec', 'backup', 'schedules', index, 'backupStorageName'] }));
  const pitr = storageNames(spec).slice(new Set(schedules.map(({ name }) => name)).size)
    .map((name) => ({ name, path: ['spec', 'backup', 'pitr', 'backupStorageName'] }));
  const unknown = [...schedules, ...pitr].filter(({ name }) => !storages.has(name));
  return unknown.map(({ name, path }) => findingOf(storageUnknown, {
    path, problem: `no document describes the storage ${JSON.stringify(name)}${suggestion(name, storages.keys())}`,
  }));
}

function policyOf({ podSchedulingPolicyName: name }: OpenEverestSpec,
  { policies }: References): SchedulingPolicy | undefined {
  return name ? policies.get(name) : undefined;
}

function checkPolicyName(spec: OpenEverestSpec, references: References): Finding[] {
  const { podSchedulingPolicyName: name, engine } = spec;
  if (!name) return [];
  const refuse = (problem: string, fix: string) => [findingOf(SHAPE_TEXTS.openEverest, { path: ['spec', 'podSchedulingPolicyName'], problem, fix })];
  const policy = policyOf(spec, references);
  if (!policy) {
    return refuse(`no document describes the policy ${JSON.stringify(name)}${suggestion(name, references.policies.keys())}`,
      'Add the PodSchedulingPolicy to the file, or leave the field out: members then spread evenly over the nodes');
  }
  return policy.engineType === engine.type ? [] : refuse(`the policy ${name} is one for ${policy.engineType}`, `Name one for ${engine.type}`);
}

/** What the document becomes. */
export function openEverestParts(document: OpenEverestCluster, references: References): PostgresParts {
  return toPostgres(document, references.storages, policyOf(document.spec, references));
}

function checkParts(document: OpenEverestCluster, namespace: string, references: References): Finding[] {
  const { props, pooler } = openEverestParts(document, references);
  const { name } = document.metadata;
  const found = firstFindings(
    () => checkPostgres(name, namespace, props),
    () => checkPooler(name, namespace, props, pooler).map((finding) => ({ ...finding, path: ['pooler', ...finding.path] })),
  );
  return found.map((finding) => ({ ...finding, path: toOpenEverestPath(document.spec, [...finding.path]) }));
}

function notYet({ engine }: OpenEverestSpec): Finding[] {
  return engine.type === 'pxc' ? [findingOf(SHAPE_TEXTS.notYet, {
    path: ['spec', 'engine', 'type'],
    problem: 'engine pxc is checked, and not turned into a PxcCluster yet',
    fix: 'Write a document of everest.io/v1alpha1 with engine: percona-xtradb-cluster (docs/guide/galera.md)',
  })] : [];
}

/** The stages of the check, in order. */
export function openEverestStages(value: unknown, namespaceOf: () => string,
  references: References): Array<() => Finding[]> {
  const document = value as OpenEverestCluster;
  return [
    () => checkEngine(value),
    () => checkShape(clusterShape, value),
    () => [...refusedFields(value, document.spec.engine.type), ...checkOpenEverest(document.spec)],
    () => notYet(document.spec),
    () => [
      ...checkForPostgres(document.spec),
      ...unknownStorages(document.spec, references),
      ...checkPolicyName(document.spec, references),
    ],
    () => checkParts(document, namespaceOf(), references),
  ];
}
