import type { OpenEverestCluster } from './shape';
import type { Finding } from '../../errors';
import { findingOf } from '../../rules/run';
import { SHAPE_TEXTS } from '../../rules/shape-texts';

type Engine = OpenEverestCluster['spec']['engine']['type'];

/** A field that OpenEverest has and this library cannot keep the promise of. */
interface RefusedField {
  /** From the document's root, such as `spec.engine.crVersion`. */
  readonly field: string;
  readonly problem: string;
  readonly fix: string;
  /** Which values; default: all that ask for something (not empty). */
  readonly when?: (value: unknown) => boolean;
  /** Only with this engine. */
  readonly engine?: Engine;
}

const isTrue = (value: unknown) => value === true;
const LEAVE_OUT = 'Leave it out';

function written(field: string): RefusedField {
  return {
    field, when: (value) => value !== undefined,
    problem: `the API server or the operator of a living cluster has written ${field.split('.').pop()}; it asks for nothing`,
    fix: 'Leave it out: only what people decide belongs in Git',
  };
}

/** What documents of a living cluster carry on top (`kubectl get -o yaml`). */
const WRITTEN_BY_SERVER: readonly RefusedField[] = [
  'status', 'metadata.uid', 'metadata.resourceVersion', 'metadata.generation', 'metadata.creationTimestamp',
  'metadata.deletionTimestamp', 'metadata.deletionGracePeriodSeconds', 'metadata.selfLink', 'metadata.managedFields',
  'metadata.ownerReferences',
].map(written);

const ANNOTATIONS: readonly RefusedField[] = [
  {
    field: 'metadata.annotations.everest.percona.com/restart',
    problem: 'a restart is an order, not a state',
    fix: 'Leave it out; docs/guide/operations-by-hand.md says how members are restarted',
  },
  {
    field: 'metadata.annotations.kubectl.kubernetes.io/last-applied-configuration',
    problem: 'kubectl has written it on the old object, and it would stand on every new one',
    fix: LEAVE_OUT,
  },
];

const DATA_SOURCE: readonly RefusedField[] = [
  {
    field: 'spec.dataSource.dbClusterBackupName',
    problem: 'backups that OpenEverest made lie under another path and under names that only its operator knows',
    fix: 'Leave it out, and load the data into the new cluster (docs/guide/backups.md says what can be recovered)',
  },
  {
    field: 'spec.dataSource.backupSource',
    problem: 'backups that OpenEverest made lie under another path and in another layout',
    fix: 'Leave it out, and load the data into the new cluster (docs/guide/backups.md says what can be recovered)',
  },
  {
    field: 'spec.dataSource.dataImport', problem: 'imports by a Job of an importer are not there',
    fix: 'Leave it out, and import into the running cluster',
  },
  { field: 'spec.dataSource.pitr', problem: 'there is no source of data that it could belong to', fix: LEAVE_OUT },
];

const PROXY: readonly RefusedField[] = [
  {
    field: 'spec.proxy.expose.type', when: (value) => value === 'LoadBalancer' || value === 'external' || value === 'NodePort',
    problem: 'Services here are reached inside of the Kubernetes cluster only',
    fix: 'Use ClusterIP, and make a Service of your own in front of it, or change its type in code (docs/guide/escape-hatch.md)',
  },
  {
    field: 'spec.proxy.expose.ipSourceRanges',
    problem: 'it limits who reaches a load balancer, and none is made',
    fix: 'Leave it out; NetworkPolicies say who may connect (docs/guide/network.md)',
  },
  { field: 'spec.proxy.expose.loadBalancerConfigName', problem: 'there is no load balancer that it could belong to', fix: LEAVE_OUT },
  {
    field: 'spec.proxy.type', engine: 'pxc', when: (value) => value === 'proxysql',
    problem: 'ProxySQL is not there; HAProxy leads to one writer and to readers', fix: 'Use haproxy',
  },
  {
    field: 'spec.proxy.config', engine: 'pxc', problem: 'haproxy.cfg follows from the members, and nothing of it can be set here',
    fix: 'Leave it out; maxConnections can be set in code (docs/guide/galera.md)',
  },
  { field: 'spec.proxy.storage', problem: 'this proxy keeps nothing on a volume', fix: LEAVE_OUT },
];

const REFUSED: readonly RefusedField[] = [
  ...WRITTEN_BY_SERVER,
  { field: 'metadata.generateName', problem: 'a cluster without a fixed name would be another one each time', fix: 'Give metadata.name' },
  {
    field: 'metadata.finalizers',
    problem: 'finalizers tell an operator what to delete with the cluster, and nothing here deletes volumes or backups',
    fix: 'Leave them out',
  },
  ...ANNOTATIONS,
  {
    field: 'spec.paused', when: isTrue, problem: 'a cluster cannot be paused in its document',
    fix: 'Write paused: false or leave it out; docs/guide/operations-by-hand.md says how a cluster is stopped',
  },
  {
    field: 'spec.engine.crVersion', problem: 'it pins an operator\'s version, and there is no operator here',
    fix: 'Leave it out: the version of this package decides about manifests, engine.version about the database',
  },
  {
    field: 'spec.engine.userSecretsName',
    problem: 'the Secret of OpenEverest has other keys than the members need',
    fix: 'Leave it out: the members fill Secrets of their own (docs/guide/credentials.md)',
  },
  ...PROXY,
  ...DATA_SOURCE,
  {
    field: 'spec.monitoring.monitoringConfigName', engine: 'postgresql', problem: 'the monitoring sidecar of PostgreSQL is not there yet', fix: LEAVE_OUT,
  },
  {
    field: 'spec.monitoring.resources', engine: 'postgresql', problem: 'the monitoring sidecar of PostgreSQL is not there yet', fix: LEAVE_OUT,
  },
  {
    field: 'spec.sharding', when: (value) => value !== undefined, problem: 'sharding belongs to MongoDB, which is not supported', fix: LEAVE_OUT,
  },
  { field: 'spec.engineFeatures', problem: 'its only feature belongs to MongoDB, which is not supported', fix: LEAVE_OUT },
];

/** `metadata.annotations.a.b/c`: keys of labels and annotations hold dots, so they are the rest of the path. */
function pathOf(field: string): string[] {
  const map = /^(metadata\.annotations)\.(.+)$/.exec(field);
  return map ? [...map[1]!.split('.'), map[2]!] : field.split('.');
}

function valueAt(document: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, part) =>
    (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[part] : undefined), document);
}

/** Asks for something: OpenEverest writes empty texts, lists and maps for what nobody wants. */
function isAsked(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.values(value).some(isAsked);
}

/** Everything in a document that has no counterpart here, by name. */
export function refusedFields(document: unknown, engine?: Engine): Finding[] {
  return REFUSED.filter((row) => row.engine === undefined || row.engine === engine).flatMap((row) => {
    const path = pathOf(row.field);
    const asked = row.when ?? isAsked;
    return asked(valueAt(document, path))
      ? [findingOf(SHAPE_TEXTS.noCounterpart, { path, problem: `${path.at(-1)!}: ${row.problem}`, fix: row.fix })] : [];
  });
}
