import { storageNames } from './backup';
import { checkOpenEverest } from './checks';
import type { SchedulingPolicy } from './placement';
import { refusedFields } from './refused';
import { clusterShape, type MonitoringDocument, type OpenEverestCluster, type OpenEverestSpec } from './shape';
import { checkForPostgres, toOpenEverestPath, toPostgres, type PostgresParts } from './to-postgres';
import { checkForPxc, toPxc, toPxcPath } from './to-pxc';
import { checkGalera } from '../../check-galera';
import { checkPooler, checkPostgres } from '../../check-postgres';
import { suggestion } from '../../closest';
import type { Finding } from '../../errors';
import type { GaleraInput } from '../../resolve/galera';
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

function monitoringOf({ monitoring }: OpenEverestSpec, references: References): MonitoringDocument['spec'] | undefined {
  const name = monitoring?.monitoringConfigName;
  return name ? references.monitoring.get(name) : undefined;
}

function checkMonitoringName(spec: OpenEverestSpec, references: References): Finding[] {
  const { monitoringConfigName: name, resources } = spec.monitoring ?? {};
  const path = ['spec', 'monitoring'];
  if (!name) {
    return resources?.limits ?? resources?.requests ? [findingOf(SHAPE_TEXTS.openEverest, {
      path: [...path, 'resources'], problem: 'resources stand there, and no monitoringConfigName', fix: 'Name a MonitoringConfig, or leave resources out',
    })] : [];
  }
  return monitoringOf(spec, references) ? [] : [findingOf(SHAPE_TEXTS.openEverest, {
    path: [...path, 'monitoringConfigName'],
    problem: `no document describes the monitoring ${JSON.stringify(name)}${suggestion(name, references.monitoring.keys())}`,
    fix: 'Add the MonitoringConfig to the file, or leave the field out',
  })];
}

type PxcParts = Extract<GaleraInput, { engine: 'percona-xtradb-cluster' }>;
type Parts = PostgresParts | PxcParts;

/** How documents of one engine are checked for what has no counterpart, and what they become. */
interface EngineReader {
  readonly check: (spec: OpenEverestSpec, references: References) => Finding[];
  readonly parts: (document: OpenEverestCluster, references: References) => Parts;
  readonly checkParts: (document: OpenEverestCluster, namespace: string, references: References) => Finding[];
}

function postgresParts(document: OpenEverestCluster, references: References): PostgresParts {
  return toPostgres(document, references.storages, policyOf(document.spec, references));
}

const POSTGRESQL: EngineReader = {
  check: checkForPostgres,
  parts: postgresParts,
  checkParts: (document, namespace, references) => {
    const { props, pooler } = postgresParts(document, references);
    const { name } = document.metadata;
    const found = firstFindings(
      () => checkPostgres(name, namespace, props),
      () => checkPooler(name, namespace, props, pooler).map((finding) => ({ ...finding, path: ['pooler', ...finding.path] })),
    );
    return found.map((finding) => ({ ...finding, path: toOpenEverestPath(document.spec, [...finding.path]) }));
  },
};

function pxcParts(document: OpenEverestCluster, references: References): PxcParts {
  const { spec } = document;
  const { storages } = references;
  const named = { storages, policy: policyOf(spec, references), monitoring: monitoringOf(spec, references) };
  return { engine: 'percona-xtradb-cluster', props: toPxc(document, named) };
}

const PXC: EngineReader = {
  check: (spec, references) => [...checkForPxc(spec), ...checkMonitoringName(spec, references)],
  parts: pxcParts,
  checkParts: (document, namespace, references) => {
    const found = checkGalera(document.metadata.name, namespace, pxcParts(document, references));
    return found.map((finding) => ({ ...finding, path: toPxcPath(document.spec, [...finding.path]) }));
  },
};

const READERS = { postgresql: POSTGRESQL, pxc: PXC } as const;

/** What the document becomes. */
export function openEverestParts(document: OpenEverestCluster, references: References): Parts {
  return READERS[document.spec.engine.type].parts(document, references);
}

/** The stages of the check, in order. */
export function openEverestStages(value: unknown, namespaceOf: () => string,
  references: References): Array<() => Finding[]> {
  const document = value as OpenEverestCluster;
  return [
    () => checkEngine(value),
    () => checkShape(clusterShape, value),
    () => [...refusedFields(value, document.spec.engine.type), ...checkOpenEverest(document.spec)],
    () => [
      ...READERS[document.spec.engine.type].check(document.spec, references),
      ...unknownStorages(document.spec, references),
      ...checkPolicyName(document.spec, references),
    ],
    () => READERS[document.spec.engine.type].checkParts(document, namespaceOf(), references),
  ];
}
