import type { BackedUp } from './backup';
import { fieldEnvironment, restrictedContainer, withEphemeral } from './container';
import { RETRIED_ELSEWHERE, cronJob } from './cron-job';
import { metadata, optional, type Manifest } from './manifest';
import { API_SERVER_PORTS, DNS_PORTS, type NetworkPeers } from './network-policies';
import { RBAC, roleBinding } from './rbac';
import { DRILL_SOCKET, type DrillNeed } from '../contract/drill';
import { COMPONENT, LABEL, clusterLabels } from '../contract/labels';
import { contractName, statusName } from '../contract/names';
import { FILES } from '../render/files';
import { AGENT_UID, DEFAULT_AGENT_RESOURCES } from '../resolve/agent';
import type { ResolvedDrill } from '../resolve/drill';
import { resolveResources, type ResolvedResources } from '../resolve/groups';
import type { ResolvedImage } from '../resolve/postgres';

/** How long a finished Pod stays with its log. Its volume stays as long. */
const KEPT_SECONDS = 3600;
const TOKEN_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
/** What the kubelet itself asks for where it mounts a token. */
const TOKEN_SECONDS = 3607;
const SOCKET_FOLDER = DRILL_SOCKET.replace(/\/[^/]*$/, '');

/** In the container that restores: what drill_tools.py reads of Secrets and ConfigMaps. */
const ACCESS_FOLDER = '/run/drill-access';

type Fields = Record<string, unknown>;

/** A cluster of an engine that has drills. */
export interface DrilledCluster extends BackedUp {
  readonly image: ResolvedImage;
}

/** A container that works on the copy. */
interface CopyContainer {
  readonly name: string;
  readonly image: string;
  readonly command: string[];
  readonly resources: ResolvedResources;
}

/** What only the one of them has that reads the storage. */
interface CopyAccess {
  readonly env?: Fields[];
  readonly mounts?: Fields[];
}

/** What differs between engines: how the container that restores is furnished. */
export interface DrillRecipe {
  /** The one of `files` that is run. */
  readonly script: string;
  /** Of the drill's own ConfigMap: scripts and drill.json. */
  readonly files: Record<string, string>;
  /** A ConfigMap of the cluster, and what of it lies beside them. */
  readonly config: { readonly name: string; readonly items: string[] };
  readonly environment: Record<string, string>;
  readonly folders: { readonly data: string; readonly sockets: string };
  /** Where the script is in another image than the database: image and resources of its container. */
  readonly scriptContainer?: Pick<CopyContainer, 'image' | 'resources'>;
  /** And what runs the database and its programs then, with the copy and without the storage's keys. */
  readonly beside?: CopyContainer[];
  /** Where the storage's certificates are read. */
  readonly accessFolder?: string;
  readonly storageEgress: Fields[];
}

function labels(cluster: DrilledCluster, drill: ResolvedDrill): Record<string, string> {
  return { [LABEL.cluster]: cluster.name, [LABEL.component]: COMPONENT.drill, [LABEL.drill]: drill.name };
}

function meta(cluster: DrilledCluster, drill: ResolvedDrill, annotations: Record<string, string> = {}): Manifest['metadata'] {
  return metadata(cluster, drill.objectName, { labels: labels(cluster, drill), annotations });
}

/** What the reporter may do. The container that restores has no token at all. */
function role(cluster: DrilledCluster, drill: ResolvedDrill): Manifest {
  const configMap = (name: string, verbs: string[]) =>
    ({ apiGroups: [''], resources: ['configmaps'], resourceNames: [name], verbs });
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: meta(cluster, drill),
    rules: [
      configMap(contractName(cluster.name), ['get']),
      configMap(statusName(cluster.name), ['get', 'patch']),
      { apiGroups: [''], resources: ['events'], verbs: ['create'] },
    ],
  };
}

function networkPolicy(
  cluster: DrilledCluster, drill: ResolvedDrill, peers: NetworkPeers, storageEgress: Fields[],
): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: meta(cluster, drill),
    spec: {
      podSelector: { matchLabels: labels(cluster, drill) },
      policyTypes: ['Ingress', 'Egress'],
      egress: [
        { ...optional('to', peers.dns), ports: DNS_PORTS },
        { ...optional('to', peers.apiServer), ports: API_SERVER_PORTS },
        ...storageEgress,
      ],
    },
  };
}

function nameOf({ object }: DrillNeed): string {
  return object.split(' ')[1]!;
}

/** Optional, so that the Pod starts without it and says what is missing. */
function secretEnvironment(need: DrillNeed): Fields {
  return { name: need.environment, valueFrom: { secretKeyRef: { name: nameOf(need), key: need.key, optional: true } } };
}

function fileSource(need: DrillNeed): Fields {
  const kind = need.object.startsWith('Secret') ? 'secret' : 'configMap';
  return { [kind]: { name: nameOf(need), items: [{ key: need.key, path: need.file }], optional: true } };
}

function environment({ needs }: ResolvedDrill, recipe: DrillRecipe): Fields[] {
  const { accessFolder = ACCESS_FOLDER } = recipe;
  const plain = { EVEREST_REPORT: DRILL_SOCKET, EVEREST_DRILL_ACCESS: accessFolder, ...recipe.environment };
  return [
    ...Object.entries(plain).map(([name, value]) => ({ name, value })),
    ...needs.filter((need) => need.environment !== undefined).map(secretEnvironment),
  ];
}

function onCopy(
  { image: { uid } }: DrilledCluster, { folders }: DrillRecipe, container: CopyContainer, more: CopyAccess = {},
): Fields {
  const { name, image, command, resources } = container;
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command,
    ...optional('env', more.env ?? []),
    resources: withEphemeral(resources, '128Mi', '1Gi'),
    securityContext: restrictedContainer(uid),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: 'config', mountPath: FILES.folder, readOnly: true },
      { name: 'data', mountPath: folders.data },
      { name: 'sockets', mountPath: folders.sockets },
      ...more.mounts ?? [],
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'report', mountPath: SOCKET_FOLDER },
    ],
  };
}

function restoring(cluster: DrilledCluster, drill: ResolvedDrill, recipe: DrillRecipe): Fields[] {
  const { script, accessFolder = ACCESS_FOLDER, beside = [] } = recipe;
  const { image, resources } = recipe.scriptContainer ?? { image: cluster.image.reference, resources: drill.resources };
  const command = [cluster.image.tini, '-s', '--', 'python3', '-B', `${FILES.folder}/${script}`];
  const mounts = [{ name: 'access', mountPath: accessFolder, readOnly: true }];
  return [
    onCopy(cluster, recipe, { name: 'restore', image, command, resources }, { env: environment(drill, recipe), mounts }),
    ...beside.map((container) => onCopy(cluster, recipe, container)),
  ];
}

/** Judges, and tells: also when the other container died. */
function reporter(cluster: DrilledCluster, drill: ResolvedDrill): Fields {
  return {
    name: 'report',
    image: cluster.backup!.jobImage,
    imagePullPolicy: 'IfNotPresent',
    args: ['drill', '--cluster', cluster.name, '--drill', drill.name, '--target', drill.target, '--repository', String(drill.repository)],
    env: [fieldEnvironment('POD_NAME', 'metadata.name'), fieldEnvironment('POD_NAMESPACE', 'metadata.namespace')],
    resources: withEphemeral(resolveResources(DEFAULT_AGENT_RESOURCES), '16Mi', '128Mi'),
    securityContext: restrictedContainer(AGENT_UID),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: 'report', mountPath: SOCKET_FOLDER },
      { name: 'token', mountPath: TOKEN_FOLDER, readOnly: true },
    ],
  };
}

/** The throwaway volume goes with its Pod. */
function throwaway(drill: ResolvedDrill): Fields {
  return {
    name: 'data',
    ephemeral: {
      volumeClaimTemplate: {
        spec: {
          accessModes: ['ReadWriteOnce'],
          ...optional('storageClassName', drill.storageClassName),
          volumeMode: 'Filesystem',
          resources: { requests: { storage: drill.volumeSize } },
        },
      },
    },
  };
}

/** What the kubelet makes where a Pod asks for its token, here for one container only. */
function token(): Fields {
  return {
    name: 'token',
    projected: {
      defaultMode: 0o444,
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: TOKEN_SECONDS } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
    },
  };
}

function volumes(drill: ResolvedDrill, { config, files }: DrillRecipe): Fields[] {
  const mounted = drill.needs.filter((need) => need.file !== undefined);
  const items = (names: string[]) => names.map((name) => ({ key: name, path: name }));
  return [
    {
      name: 'config',
      projected: {
        defaultMode: 0o444,
        sources: [
          { configMap: { name: config.name, items: items(config.items) } },
          { configMap: { name: drill.objectName, items: items(Object.keys(files)) } },
        ],
      },
    },
    throwaway(drill),
    { name: 'sockets', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
    mounted.length > 0 ? { name: 'access', projected: { defaultMode: 0o440, sources: mounted.map(fileSource) } }
      : { name: 'access', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
    { name: 'report', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    token(),
  ];
}

function podSpec(cluster: DrilledCluster, drill: ResolvedDrill, recipe: DrillRecipe): Fields {
  return {
    serviceAccountName: drill.objectName,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: 'Never',
    ...optional('imagePullSecrets', cluster.imagePullSecrets.map((name) => ({ name }))),
    securityContext: {
      fsGroup: cluster.image.uid,
      fsGroupChangePolicy: 'OnRootMismatch',
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [...restoring(cluster, drill, recipe), reporter(cluster, drill)],
    volumes: volumes(drill, recipe),
  };
}

/** What a drill is made of beside itself. */
export interface DrillSurroundings {
  readonly recipe: DrillRecipe;
  readonly peers: NetworkPeers;
  /** Of its ServiceAccount: a web identity of the storage. */
  readonly accountAnnotations: Record<string, string>;
}

/** All objects of a drill, in the order in which they can be applied. */
export function drillManifests(
  cluster: DrilledCluster, drill: ResolvedDrill, surroundings: DrillSurroundings,
): Manifest[] {
  const { recipe, peers, accountAnnotations } = surroundings;
  const podLabels = { ...cluster.labels, ...clusterLabels(cluster.name, cluster.engine), ...labels(cluster, drill) };
  return [
    {
      apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta(cluster, drill, accountAnnotations),
      automountServiceAccountToken: false,
    },
    role(cluster, drill),
    roleBinding(meta(cluster, drill), drill.objectName),
    networkPolicy(cluster, drill, peers, recipe.storageEgress),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta(cluster, drill), data: recipe.files },
    cronJob({
      metadata: meta(cluster, drill),
      schedule: drill,
      podLabels,
      podSpec: podSpec(cluster, drill, recipe),
      // A drill that failed has found something, and another try would only cover it.
      job: { backoffLimit: 0, podFailurePolicy: RETRIED_ELSEWHERE, ttlSecondsAfterFinished: KEPT_SECONDS },
    }),
  ];
}
