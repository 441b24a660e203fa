import type { Replacement } from '../contract/document';
import type { GaleraEngine } from '../contract/galera';
import { DEFAULT_GROUP, credentialsName, memberName, tlsName } from '../contract/names';
import type { GaleraClusterProps } from '../galera-cluster-props';
import type { GaleraProxyOptions } from '../galera-proxy';
import type { MariaDbClusterProps } from '../mariadb-cluster-props';
import { AntiAffinity, type Placement } from '../placement';
import type { PmmOptions } from '../pmm';
import { Protection } from '../protection';
import type { PxcClusterProps } from '../pxc-cluster-props';
import { parseQuantity } from '../quantity';
import { resolveBackup, type ResolvedBackup } from './backup';
import { galeraParameters, galeraProviderOptions, type GaleraFacts } from './galera-parameters';
import { resolveGaleraRecovery, type ResolvedGaleraRecovery } from './galera-recovery';
import { galeraDatabases, resolveUsers, type GaleraUser } from './galera-users';
import { DEFAULT_INSTANCES, resolveResources, type ResolvedGroup, type ResolvedResources } from './groups';
import type { ClusterIdentity } from './identity';
import type { ResolvedImage } from './postgres';
import { resolveReplacement } from './recovery';

/** Newest series of MariaDB that this project's image has. */
export const DEFAULT_MARIADB = '11.8';
/** User of images/mariadb. */
const MARIADB_UID = 10029;
/** User of the vendor's images. */
const PXC_UID = 1001;
/** User of images/haproxy. */
export const PROXY_UID = 10030;

/** Users of the cluster itself, each with its key in the credentials. They exist from the start. */
export const GALERA_USERS = [
  { name: 'everest_agent', key: 'agent', grants: ['PROCESS, REPLICATION CLIENT ON *.*', 'SELECT ON `everest`.*'] },
  { name: 'everest_monitor', key: 'monitor', grants: ['PROCESS, REPLICATION CLIENT, SELECT ON *.*'] },
  { name: 'everest_backup', key: 'backup', grants: ['REPLICATION SLAVE, REPLICATION CLIENT ON *.*'] },
] as const;

export interface ResolvedProxy {
  readonly instances: number;
  readonly image: string;
  readonly resources: ResolvedResources;
  readonly placement: Placement;
  readonly maxConnections: number;
}

export type ResolvedPmm = Omit<Required<PmmOptions>, 'resources'> & { readonly resources: ResolvedResources };

/** Everything about a Galera cluster, decided: what parts and renderers read. Holds no construct. */
export interface ResolvedGalera extends ClusterIdentity {
  readonly engine: GaleraEngine;
  readonly image: ResolvedImage;
  /** Where the server's own image has no Python: the image of a container beside it that runs the script. */
  readonly scriptImage?: string;
  readonly imagePullSecrets: string[];
  readonly group: ResolvedGroup;
  readonly arbitrator: boolean;
  readonly parameters: Record<string, string>;
  readonly providerOptions: Record<string, string>;
  readonly credentialsSecret: string;
  readonly generatesCredentials: boolean;
  readonly tlsSecret: string;
  readonly generatesTls: boolean;
  readonly databases: Array<{ readonly name: string; readonly owner: string }>;
  readonly owners: GaleraUser[];
  /** Users that own nothing. */
  readonly roles: GaleraUser[];
  readonly agent?: string;
  readonly disruption?: number;
  readonly stopSeconds: number;
  readonly proxy: ResolvedProxy;
  readonly pmm?: ResolvedPmm;
  /** None: nothing is archived. */
  readonly backup?: ResolvedBackup;
  /** Where the first data come from; none: an empty cluster. */
  readonly recovery?: ResolvedGaleraRecovery;
  /** A restore in place, or the way back behind it. */
  readonly replacement?: Replacement;
  readonly serviceAnnotations: Record<string, string>;
  readonly replicaServiceAnnotations: Record<string, string>;
}

/** The props of either engine, with the engine's name. */
export type GaleraInput =
  | { readonly engine: 'mariadb'; readonly props: MariaDbClusterProps }
  | { readonly engine: 'percona-xtradb-cluster'; readonly props: PxcClusterProps };

function mariaDbImage({ version = DEFAULT_MARIADB, image }: MariaDbClusterProps): ResolvedImage {
  const reference = image ?? `cdk8s-everest/mariadb:${version}`;
  return { reference, version, major: version, uid: MARIADB_UID, binDirectory: '/usr/sbin', tini: '/usr/bin/tini' };
}

/** Newest release of each series when this was written. */
export const PXC_IMAGES: Readonly<Record<string, string>> = {
  '8.0': 'percona/percona-xtradb-cluster:8.0.45-36.1',
  '8.4': 'percona/percona-xtradb-cluster:8.4.8-8.1',
};
const DEFAULT_PXC = '8.4';

function pxcImage({ version = DEFAULT_PXC, image }: PxcClusterProps): ResolvedImage {
  const series = version.split('.').slice(0, 2).join('.');
  return { reference: image ?? PXC_IMAGES[version] ?? '', version, major: series, uid: PXC_UID, binDirectory: '/usr/sbin', tini: '/usr/bin/tini' };
}

function imagesOf(input: GaleraInput): Pick<ResolvedGalera, 'image' | 'scriptImage'> {
  if (input.engine === 'mariadb') return { image: mariaDbImage(input.props) };
  return { image: pxcImage(input.props), scriptImage: input.props.scriptImage ?? `cdk8s-everest/mariadb:${DEFAULT_MARIADB}` };
}

/** Members of one group; a count that a rule refuses right after gives none. */
export function galeraGroup(name: string, props: GaleraClusterProps): ResolvedGroup {
  const count = props.instances ?? DEFAULT_INSTANCES;
  const sane = Number.isInteger(count) && count > 0 && count <= 100 ? count : 0;
  return {
    name: DEFAULT_GROUP,
    members: Array.from({ length: sane }, (_, index) => memberName(name, DEFAULT_GROUP, index + 1)),
    promotable: true,
    placement: props.placement ?? {},
    resources: resolveResources(props.resources),
    storage: props.storage,
    path: [],
  };
}

/** What settings are derived from. */
export function galeraFacts({ engine, props }: GaleraInput, group: ResolvedGroup): GaleraFacts {
  const { resources: { limits, requests } } = group;
  return {
    engine,
    memoryBytes: parseQuantity(limits.memory) ?? 0,
    cpus: parseQuantity(limits.cpu ?? requests.cpu) ?? 1,
    volumeBytes: parseQuantity(props.storage.size) ?? 0,
    maintenanceSeconds: props.maintenanceWindow?.toSeconds({ integral: false }) ?? 1800,
  };
}

function resolveProxy(options: GaleraProxyOptions = {}): ResolvedProxy {
  return {
    instances: options.instances ?? 2,
    image: options.image ?? 'cdk8s-everest/haproxy:3.0',
    resources: resolveResources(options.resources ?? { requests: { cpu: '100m', memory: '128Mi' } }),
    placement: { antiAffinity: AntiAffinity.even(), ...options.placement },
    maxConnections: options.maxConnections ?? 2048,
  };
}

const PMM_RESOURCES = { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '256Mi' } };

function resolvePmm(name: string, options: PmmOptions | undefined): ResolvedPmm | undefined {
  return options && {
    url: options.url,
    image: options.image ?? 'percona/pmm-client:3.8.0',
    secretName: options.secretName ?? `${name}-pmm`,
    secretKey: options.secretKey ?? 'token',
    resources: resolveResources({
      requests: { ...PMM_RESOURCES.requests, ...options.resources?.requests },
      limits: { ...PMM_RESOURCES.limits, ...options.resources?.limits },
    }),
    insecureSkipTlsVerify: options.insecureSkipTlsVerify ?? false,
  };
}

function secretsOf(name: string, { credentials, tlsSecretName }: GaleraClusterProps): Pick<ResolvedGalera,
  'credentialsSecret' | 'generatesCredentials' | 'tlsSecret' | 'generatesTls'> {
  return {
    credentialsSecret: credentials?.secretName ?? credentialsName(name),
    generatesCredentials: credentials?.generates ?? true,
    tlsSecret: tlsSecretName ?? tlsName(name),
    generatesTls: tlsSecretName === undefined,
  };
}

function disruptionOf({ podDisruption }: GaleraClusterProps, members: number): number | undefined {
  if (podDisruption) return podDisruption.members;
  return members > 1 ? 1 : undefined;
}

function passedOn(props: GaleraClusterProps): Pick<ResolvedGalera,
  'labels' | 'annotations' | 'serviceAnnotations' | 'replicaServiceAnnotations' | 'imagePullSecrets' | 'agent' | 'arbitrator'> {
  return {
    labels: props.labels ?? {},
    annotations: props.annotations ?? {},
    serviceAnnotations: props.serviceAnnotations ?? {},
    replicaServiceAnnotations: props.replicaServiceAnnotations ?? {},
    imagePullSecrets: props.imagePullSecrets ?? [],
    agent: props.agent?.agentName,
    arbitrator: props.arbitrator ?? false,
  };
}

function backupOf(name: string, namespace: string, props: GaleraClusterProps): Pick<ResolvedGalera, 'backup' | 'recovery' | 'replacement'> {
  const { backup, bootstrap } = props;
  const replacement = resolveReplacement(bootstrap);
  return {
    ...(backup ? { backup: resolveBackup(name, namespace, backup) } : {}),
    ...(bootstrap?.recovery ? { recovery: resolveGaleraRecovery(namespace, bootstrap.recovery) } : {}),
    ...(replacement ? { replacement } : {}),
  };
}

/** A clean stop writes at most the whole buffer pool, at 50 MB/s on a slow network disk. */
function stopSecondsOf(memoryBytes: number): number {
  return 60 + Math.ceil((memoryBytes * 0.75) / (50 * 1000 * 1000));
}

/** The cluster, decided. The props must have passed all rules. */
export function resolveGalera(name: string, namespace: string, input: GaleraInput): ResolvedGalera {
  const { props } = input;
  const group = galeraGroup(name, props);
  const facts = galeraFacts(input, group);
  return {
    ...passedOn(props),
    ...secretsOf(name, props),
    ...imagesOf(input),
    engine: input.engine,
    name,
    namespace,
    group,
    parameters: galeraParameters(facts, props.parameters),
    providerOptions: galeraProviderOptions(facts),
    databases: galeraDatabases(props),
    ...resolveUsers(name, namespace, props),
    disruption: disruptionOf(props, group.members.length),
    retainsData: (props.protection ?? Protection.retain()).retainsData,
    stopSeconds: stopSecondsOf(facts.memoryBytes),
    proxy: resolveProxy(props.proxy),
    pmm: resolvePmm(name, props.pmm),
    ...backupOf(name, namespace, props),
  };
}
