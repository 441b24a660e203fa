import { fieldEnvironment, restrictedContainer, withEphemeral } from './container';
import { RETRIED_ELSEWHERE, cronJob } from './cron-job';
import { metadata, optional, type Manifest } from './manifest';
import { API_SERVER_PORTS, DNS_PORTS, storageEgress, type NetworkPeers } from './network-policies';
import { RBAC, roleBinding } from './rbac';
import { DRILL_SOCKET, type DrillNeed } from '../contract/drill';
import { COMPONENT, LABEL, clusterLabels } from '../contract/labels';
import { configName, contractName, statusName } from '../contract/names';
import { renderDrill } from '../render/drill';
import { FILES } from '../render/files';
import { renderDrillScript } from '../render/script';
import { AGENT_UID, DEFAULT_AGENT_RESOURCES } from '../resolve/agent';
import type { ResolvedDrill } from '../resolve/drill';
import { resolveResources } from '../resolve/groups';
import type { ResolvedPostgres } from '../resolve/postgres';

/** How long a finished Pod stays with its log. Its volume stays as long. */
const KEPT_SECONDS = 3600;
const TOKEN_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
/** What the kubelet itself asks for where it mounts a token. */
const TOKEN_SECONDS = 3607;
const SOCKET_FOLDER = DRILL_SOCKET.replace(/\/[^/]*$/, '');

type Fields = Record<string, unknown>;

function labels(cluster: ResolvedPostgres, drill: ResolvedDrill): Record<string, string> {
  return { [LABEL.cluster]: cluster.name, [LABEL.component]: COMPONENT.drill, [LABEL.drill]: drill.name };
}

function meta(cluster: ResolvedPostgres, drill: ResolvedDrill, annotations: Record<string, string> = {}): Manifest['metadata'] {
  return metadata(cluster, drill.objectName, { labels: labels(cluster, drill), annotations });
}

/** What the reporter may do. The container that restores has no token at all. */
function role(cluster: ResolvedPostgres, drill: ResolvedDrill): Manifest {
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

function networkPolicy(cluster: ResolvedPostgres, drill: ResolvedDrill, peers: NetworkPeers): Manifest {
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
        ...storageEgress(cluster),
      ],
    },
  };
}

function files(cluster: ResolvedPostgres, drill: ResolvedDrill): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: meta(cluster, drill),
    data: { [FILES.drill]: renderDrillScript(), [FILES.drillOrder]: renderDrill(cluster, drill) },
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

function environment(cluster: ResolvedPostgres, drill: ResolvedDrill): Fields[] {
  const plain = {
    PGBACKREST_CONFIG: `${FILES.folder}/${FILES.pgbackrest}`,
    PGBACKREST_CONFIG_INCLUDE_PATH: FILES.backup,
    EVEREST_REPORT: DRILL_SOCKET,
    PATH: `${cluster.image.binDirectory}:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin`,
    ...drill.environment,
  };
  return [
    ...Object.entries(plain).map(([name, value]) => ({ name, value })),
    ...drill.needs.filter((need) => need.environment !== undefined).map(secretEnvironment),
  ];
}

function restoring(cluster: ResolvedPostgres, drill: ResolvedDrill): Fields {
  return {
    name: 'restore',
    image: cluster.image.reference,
    imagePullPolicy: 'IfNotPresent',
    command: [cluster.image.tini, '-s', '--', 'python3', '-B', `${FILES.folder}/${FILES.drill}`],
    env: environment(cluster, drill),
    resources: withEphemeral(drill.resources, '128Mi', '1Gi'),
    securityContext: restrictedContainer(cluster.image.uid),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: 'config', mountPath: FILES.folder, readOnly: true },
      { name: 'data', mountPath: FILES.data },
      { name: 'sockets', mountPath: FILES.sockets },
      { name: 'access', mountPath: FILES.backup, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'report', mountPath: SOCKET_FOLDER },
    ],
  };
}

/** Judges, and tells: also when the other container died. */
function reporter(cluster: ResolvedPostgres, drill: ResolvedDrill): Fields {
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

function volumes(cluster: ResolvedPostgres, drill: ResolvedDrill): Fields[] {
  const mounted = drill.needs.filter((need) => need.file !== undefined);
  const items = (...names: string[]) => names.map((name) => ({ key: name, path: name }));
  return [
    {
      name: 'config',
      projected: {
        defaultMode: 0o444,
        sources: [
          { configMap: { name: configName(cluster.name), items: items(FILES.pgbackrest, FILES.archive) } },
          { configMap: { name: drill.objectName, items: items(FILES.drill, FILES.drillOrder) } },
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

function podSpec(cluster: ResolvedPostgres, drill: ResolvedDrill): Fields {
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
    containers: [restoring(cluster, drill), reporter(cluster, drill)],
    volumes: volumes(cluster, drill),
  };
}

/** All objects of a drill, in the order in which they can be applied. */
export function drillManifests(cluster: ResolvedPostgres, drill: ResolvedDrill, peers: NetworkPeers): Manifest[] {
  const podLabels = { ...cluster.labels, ...clusterLabels(cluster.name, 'postgresql'), ...labels(cluster, drill) };
  return [
    {
      apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta(cluster, drill, cluster.accountAnnotations),
      automountServiceAccountToken: false,
    },
    role(cluster, drill),
    roleBinding(meta(cluster, drill), drill.objectName),
    networkPolicy(cluster, drill, peers),
    files(cluster, drill),
    cronJob({
      metadata: meta(cluster, drill),
      schedule: drill,
      podLabels,
      podSpec: podSpec(cluster, drill),
      // A drill that failed has found something, and another try would only cover it.
      job: { backoffLimit: 0, podFailurePolicy: RETRIED_ELSEWHERE, ttlSecondsAfterFinished: KEPT_SECONDS },
    }),
  ];
}
