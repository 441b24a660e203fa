import { Duration } from 'cdk8s';
import type { BackupStorage } from '../backup-storage';
import { Credentials } from '../credentials';
import type { IEverestAgent } from '../everest-agent';
import { ImageCatalog } from '../image-catalog';
import type { MemberGroup } from '../member-group';
import { NetworkPeer, type NetworkOptions } from '../network';
import { PasswordRotation } from '../password-rotation';
import { AntiAffinity, type Placement } from '../placement';
import { PodDisruption } from '../pod-disruption';
import type { PostgresClusterProps } from '../postgres-cluster-props';
import { Protection } from '../protection';
import { Replication } from '../replication';
import type { Resources } from '../resources';
import { DatabaseAccess, type PostgresRole } from '../role';
import type { PostgresStorage } from '../storage';
import { toBackup } from './backup';
import { toBootstrap } from './bootstrap';
import { present } from './present';
import type { DatabaseClusterDocument, GaleraSpec, PostgresqlSpec } from './shape';
import { toStandby } from './standby';

type Path = Array<string | number>;
type Spec<Key extends keyof PostgresqlSpec> = NonNullable<PostgresqlSpec[Key]>;

function text(value: string | number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function amounts(given: Spec<'resources'>['requests']): Resources['requests'] {
  return given && present({ cpu: text(given.cpu), memory: text(given.memory) });
}

/** Amounts may stand there as numbers. */
export function toResources(given: Spec<'resources'> | undefined): Resources | undefined {
  return given && present({ requests: amounts(given.requests), limits: amounts(given.limits) });
}

function toStorage(given: Spec<'storage'>): PostgresStorage {
  return present({
    size: String(given.size), storageClassName: given.class, walSize: text(given.walSize),
    walStorageClassName: given.walClass,
  });
}

/** The volume as Percona's operators write it. */
export function volumeStorage({ pvc }: Spec<'volumeSpec'>): PostgresStorage {
  return present({ size: String(pvc.resources.requests.storage), storageClassName: pvc.storageClassName });
}

function toAntiAffinity({ mode, topologyKey }: NonNullable<Spec<'placement'>['antiAffinity']>): AntiAffinity {
  switch (mode) {
    case 'required': return AntiAffinity.required(topologyKey);
    case 'preferred': return AntiAffinity.preferred(topologyKey);
    case 'none': return AntiAffinity.none();
    default: return AntiAffinity.even();
  }
}

function toPlacement(given: Spec<'placement'> | undefined): Placement | undefined {
  return given && present({ ...given, antiAffinity: given.antiAffinity && toAntiAffinity(given.antiAffinity) });
}

/**
 * `affinity.antiAffinityTopologyKey` is a promise that members never share a domain, so it is required, not preferred.
 */
export function placementOf(spec: Pick<PostgresqlSpec, 'placement' | 'affinity'>): Placement | undefined {
  const placement = toPlacement(spec.placement);
  return spec.affinity
    ? { ...placement, antiAffinity: AntiAffinity.required(spec.affinity.antiAffinityTopologyKey) }
    : placement;
}

function toGroup(given: Spec<'memberGroups'>[number]): MemberGroup {
  return present({
    ...given,
    placement: toPlacement(given.placement),
    resources: toResources(given.resources),
    storage: given.storage && toStorage(given.storage),
  });
}

function toReplication(given: Spec<'replication'>): Replication {
  const { mode, maximumLagOnFailover, preferAvailability, ...options } = given;
  if (mode === 'asynchronous') return Replication.asynchronous(present({ maximumLagOnFailover, preferAvailability }));
  return mode === 'quorum' ? Replication.quorum(present(options)) : Replication.synchronous(present(options));
}

function toPeer({ podLabels, namespace, cidr }: {
  podLabels?: Record<string,
    string>; namespace?: string; cidr?: string;
}): NetworkPeer {
  if (cidr !== undefined) return NetworkPeer.cidr(cidr);
  return namespace === undefined
    ? NetworkPeer.podsWithLabels(podLabels ?? {})
    : NetworkPeer.podsInNamespace(namespace, podLabels);
}

/** Who may connect. */
export function toNetwork({ allowFrom, apiServer, dns }: Spec<'network'>): NetworkOptions {
  return present({ allowFrom: allowFrom?.map(toPeer), apiServer: apiServer?.map(toPeer), dns: dns?.map(toPeer) });
}

function seconds(value: number | undefined): Duration | undefined {
  return value === undefined ? undefined : Duration.seconds(value);
}

function toTiming(given: Spec<'timing'>): PostgresClusterProps['timing'] {
  return present({
    ttl: seconds(given.ttlSeconds), loopWait: seconds(given.loopWaitSeconds),
    retryTimeout: seconds(given.retryTimeoutSeconds),
  });
}

function toCredentials({ existingSecret, external }: Spec<'credentials'>): Credentials {
  if (!external) return Credentials.existing(existingSecret!);
  const { refreshSeconds, ...options } = external;
  return Credentials.external(present({ ...options, refreshInterval: seconds(refreshSeconds) }));
}

const { readOnly, readWrite, owner } = DatabaseAccess;
const ACCESS = { readOnly, readWrite, owner } as const;

function toRotation({ everyDays, oldValidForHours }: NonNullable<Spec<'roles'>[number]['rotation']>): PasswordRotation {
  const options = present({ oldValidFor: seconds(map(oldValidForHours, (hours) => hours * 3600)) });
  return everyDays === undefined
    ? PasswordRotation.onRequest(options)
    : PasswordRotation.every(Duration.seconds(everyDays * 86_400), options);
}

type RoleFields = Pick<Spec<'roles'>[number], 'existingSecret' | 'grants' | 'rotation'>;

/** Of all engines. */
export function toRole<R extends RoleFields>({ existingSecret, grants, rotation, ...rest }: R):
  Omit<R, keyof RoleFields> & Pick<PostgresRole, 'secretName' | 'grants' | 'rotation'> {
  return present({
    ...rest,
    secretName: existingSecret,
    grants: grants?.map(({ database, access }) => ({ database, access: ACCESS[access]() })),
    rotation: map(rotation, toRotation),
  });
}

/** Settings as text. */
export function toParameters(given: Spec<'parameters'>): Record<string, string> {
  const word = (value: string | number | boolean) => (typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value));
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, word(value)]));
}

/** A document knows the agent by name only; of a construct, nothing else is read. */
export function toAgent({ name }: Spec<'agent'>): IEverestAgent {
  return { agentName: name } as IEverestAgent;
}

/** What the words of `protection` mean. */
export const PROTECTION = { retain: Protection.retain, deleteWithCluster: Protection.deleteWithCluster } as const;

/** Nothing stays nothing. */
export function map<From, To>(value: From | undefined, convert: (value: From) => To): To | undefined {
  return value === undefined ? undefined : convert(value);
}

/** Fields whose meaning needs a conversion. */
function convertedFields(spec: PostgresqlSpec): Partial<PostgresClusterProps> {
  return {
    instances: spec.instances ?? spec.replicas,
    resources: toResources(spec.resources),
    placement: placementOf(spec),
    memberGroups: map(spec.memberGroups, (groups) => groups.map(toGroup)),
    parameters: map(spec.parameters, toParameters),
    replication: map(spec.replication, toReplication),
    timing: map(spec.timing, toTiming),
    imageCatalog: map(spec.imageRegistry, (registry) => ImageCatalog.standard().withRegistry(registry)),
    credentials: map(spec.credentials, toCredentials),
    roles: map(spec.roles, (roles) => roles.map(toRole)),
    podDisruption: map(spec.podDisruption, ({ maxUnavailable }) => PodDisruption.maxUnavailable(maxUnavailable)),
    network: map(spec.network, toNetwork),
    agent: map(spec.agent, toAgent),
    protection: map(spec.protection, (protection) => PROTECTION[protection]()),
  };
}

/** A document in the props of PostgresCluster. */
export function toProps({ metadata, spec }: DatabaseClusterDocument,
  storages: ReadonlyMap<string, BackupStorage>): PostgresClusterProps {
  const {
    version, image, pgHba, imagePullSecrets, databases, serviceAnnotations, replicaServiceAnnotations,
    kubernetesVersion,
    preferSameZoneReads,
  } = spec;
  return present({
    version, image, pgHba, imagePullSecrets, databases, serviceAnnotations, replicaServiceAnnotations,
    kubernetesVersion, preferSameZoneReads,
    clusterName: metadata.name,
    namespace: metadata.namespace,
    labels: metadata.labels,
    annotations: metadata.annotations,
    ...convertedFields(spec),
    backup: map(spec.backup, (backup) => toBackup(backup, storages)),
    bootstrap: map(spec.bootstrap, (bootstrap) => toBootstrap(bootstrap, storages)),
    standby: map(spec.standby, (standby) => toStandby(standby, storages)),
    storage: spec.storage ? toStorage(spec.storage) : volumeStorage(spec.volumeSpec!),
  });
}

function roleRenames({ roles = [] }: { roles?: readonly unknown[] }): Array<[from: Path, to: Path]> {
  const fields = [[['secretName'], ['existingSecret']], [['rotation', 'interval'], ['rotation', 'everyDays']],
    [['rotation', 'oldValidFor'], ['rotation', 'oldValidForHours']]] as const;
  return roles.flatMap((_, index) => fields.map(([from, to]): [Path, Path] => [['roles', index, ...from], ['spec', 'roles', index, ...to]]));
}

function drillRenames(backup: PostgresqlSpec['backup']): Array<[from: Path, to: Path]> {
  const fields = [['cron', 'schedule'], ['storageClassName', 'storageClass']] as const;
  return (backup?.drills ?? []).flatMap((_, index) => fields.map(([from, to]): [Path, Path] =>
    [['backup', 'drills', index, from], ['spec', 'backup', 'drills', index, to]]));
}

function backupRenames({ backup }: Pick<PostgresqlSpec, 'backup'>): Array<[from: Path, to: Path]> {
  const single = backup?.schedule === undefined ? 0 : 1;
  const named = (backup?.schedules ?? []).map((_, index): [Path, Path] =>
    [['backup', 'schedules', index + single, 'cron'], ['spec', 'backup', 'schedules', index, 'schedule']]);
  const first: Array<[Path, Path]> = single === 0 ? [] : [
    [['backup', 'schedules', 0, 'cron'], ['spec', 'backup', 'schedule']],
    [['backup', 'schedules', 0, 'timeZone'], ['spec', 'backup', 'timeZone']],
    [['backup', 'schedules', 0], ['spec', 'backup', 'schedule']],
  ];
  const others = (backup?.schedules ?? []).map((_, index): [Path, Path] =>
    [['backup', 'schedules', index + single], ['spec', 'backup', 'schedules', index]]);
  const retention = backup?.retentionDays === undefined ? 'retentionCopies' : 'retentionDays';
  return [
    ...first, ...named, ...others, ...drillRenames(backup),
    [['backup', 'retention'], ['spec', 'backup', retention]],
    [['backup', 'archiveTimeout'], ['spec', 'backup', 'archiveTimeoutSeconds']],
    [['backup', 'storage'], ['spec', 'backup', 'storageName']],
    [['bootstrap', 'recovery', 'from', 'backupStorage'], ['spec', 'bootstrap', 'recover', 'storageName']],
    [['bootstrap', 'recovery', 'from'], ['spec', 'bootstrap', 'recover', 'clusterName']],
    [['bootstrap', 'recovery', 'target'], ['spec', 'bootstrap', 'recover', 'target']],
  ];
}

/** Props that stand in the document's metadata. */
const METADATA_RENAMES: Array<[from: Path, to: Path]> =
  [['clusterName', 'name'], ['namespace', 'namespace'], ['labels', 'labels'], ['annotations', 'annotations']]
    .map(([prop, field]) => [[prop!], ['metadata', field!]]);

type Surroundings = Pick<PostgresqlSpec, 'volumeSpec' | 'replicas' | 'affinity'>;

/** Props of what both kinds of clusters have. */
function surroundingRenames(spec: Surroundings): Array<[from: Path, to: Path]> {
  const volumes: Array<[Path, Path]> = spec.volumeSpec ? [
    [['storage', 'size'], ['spec', 'volumeSpec', 'pvc', 'resources', 'requests', 'storage']],
    [['storage', 'storageClassName'], ['spec', 'volumeSpec', 'pvc', 'storageClassName']],
  ] : [
    [['storage', 'storageClassName'], ['spec', 'storage', 'class']],
    [['storage', 'walStorageClassName'], ['spec', 'storage', 'walClass']],
  ];
  return [
    ...volumes,
    ...(spec.replicas === undefined ? [] : [[['instances'], ['spec', 'replicas']] as [Path, Path]]),
    ...(spec.affinity ? [[['placement', 'antiAffinity', 'topologyKey'], ['spec', 'affinity', 'antiAffinityTopologyKey']] as [Path, Path]] : []),
    [['credentials', 'secretName'], ['spec', 'credentials', 'existingSecret']],
    [['podDisruption'], ['spec', 'podDisruption', 'maxUnavailable']],
    ...METADATA_RENAMES,
  ];
}

/** Where a prop stands in the document, longest prefixes first. */
function renames(spec: PostgresqlSpec): Array<[from: Path, to: Path]> {
  return [
    [['timing', 'loopWait'], ['spec', 'timing', 'loopWaitSeconds']],
    [['timing', 'retryTimeout'], ['spec', 'timing', 'retryTimeoutSeconds']],
    [['timing', 'ttl'], ['spec', 'timing', 'ttlSeconds']],
    ...roleRenames(spec),
    ...backupRenames(spec),
    [['standby', 'options', 'from'], ['spec', 'standby', 'storageName']],
    [['standby', 'options'], ['spec', 'standby']],
    [['credentials', 'externalStore'], ['spec', 'credentials', 'external']],
    [['imageCatalog'], ['spec', 'imageRegistry']],
    ...surroundingRenames(spec),
  ];
}

function renamed(pairs: Array<[from: Path, to: Path]>, path: Path): Path {
  const rename = pairs.find(([from]) => from.every((part, index) => path[index] === part));
  return rename ? [...rename[1], ...path.slice(rename[0].length)] : ['spec', ...path];
}

/** The path of a prop in the words of the document. */
export function toDocumentPath(spec: PostgresqlSpec, path: Path): Path {
  return renamed(renames(spec), path);
}

/** The path of a prop of a Galera cluster in the words of the document. */
export function toGaleraPath(spec: GaleraSpec, path: Path): Path {
  return renamed([
    [['pmm'], ['spec', 'monitoring', 'pmm']], [['maintenanceWindow'], ['spec', 'maintenanceWindowMinutes']],
    [['tlsSecretName'], ['spec', 'tls', 'secretName']], ...roleRenames(spec), ...backupRenames(spec), ...surroundingRenames(spec),
  ], path);
}
