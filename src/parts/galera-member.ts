import { fieldEnvironment, restrictedContainer, withEphemeral } from './container';
import { SCRIPT_RESOURCES, TOOLS_RESOURCES, runner } from './galera-runner';
import { optional, type Manifest } from './manifest';
import { restrictedPod, statefulSetOf } from './member-stateful-set';
import { placementFields } from './placement-fields';
import { pmmContainer } from './pmm';
import { memberSelector } from './services';
import { galeraConfigName, volumeName } from '../contract/names';
import { GALERA_CHANGES_PORT, GALERA_COPY_PORT, GALERA_GROUP_PORT, GALERA_MEMBER_PORT, MYSQL_PORT } from '../contract/ports';
import { GALERA_FILES as FILES } from '../render/galera';
import type { ResolvedGalera } from '../resolve/galera';

/** Container logs, and what a copy to a joiner writes to /tmp. */
const EPHEMERAL = { request: '128Mi', limit: '1Gi' };
/** Handing the writes over, and HAProxy's time to follow (galera-member.py). */
const HAND_OVER_SECONDS = 10;

function port(name: string, containerPort: number): Record<string, unknown> {
  return { name, containerPort, protocol: 'TCP' };
}

const SERVER_PORTS = [
  port('mysql', MYSQL_PORT), port('copy', GALERA_COPY_PORT), port('group', GALERA_GROUP_PORT), port('changes', GALERA_CHANGES_PORT),
];

const MOUNTS = [
  { name: 'config', mountPath: FILES.folder, readOnly: true },
  { name: 'data', mountPath: FILES.data },
  { name: 'run', mountPath: FILES.run },
  { name: 'tmp', mountPath: '/tmp' },
];

function httpProbe(path: string, timing: Record<string, number>): Record<string, unknown> {
  return { httpGet: { path, port: 'member', scheme: 'HTTP' }, ...timing, successThreshold: 1 };
}

/**
 * The script answers from its first second on, whatever its server does: the kubelet never ends a member that joins,
 * gives its data, recovers or waits. How long a server may take is the script's to judge.
 */
const PROBES = {
  startupProbe: httpProbe('/startup', { periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 60 }),
  livenessProbe: httpProbe('/live', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
  readinessProbe: httpProbe('/ready', { periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 3 }),
};

/** The part of a container that runs the script. */
function scriptFields(cluster: ResolvedGalera): Record<string, unknown> {
  return {
    command: [cluster.image.tini, '-s', '--', 'python3', `${FILES.folder}/${FILES.script}`, 'start'],
    env: [
      fieldEnvironment('POD_NAME', 'metadata.name'), fieldEnvironment('POD_UID', 'metadata.uid'), fieldEnvironment('POD_IP', 'status.podIP'),
      { name: 'HOME', value: '/tmp' },
    ],
    ...PROBES,
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };
}

function common(cluster: ResolvedGalera): Record<string, unknown> {
  return { imagePullPolicy: 'IfNotPresent', securityContext: restrictedContainer(cluster.image.uid), volumeMounts: MOUNTS };
}

const MEMBER_PORT = port('member', GALERA_MEMBER_PORT);

/** One container: the script is the server's parent. */
function mariaDbContainers(cluster: ResolvedGalera): Array<Record<string, unknown>> {
  return [{
    name: 'mariadb',
    image: cluster.image.reference,
    ...scriptFields(cluster),
    ...common(cluster),
    ports: [...SERVER_PORTS, MEMBER_PORT],
    resources: withEphemeral(cluster.group.resources, EPHEMERAL.request, EPHEMERAL.limit),
  }];
}

/**
 * Three containers: the vendor's image holds no Python, so a shell script in it starts and stops the server as the
 * script says. The programs of backups have one of their own, also while there are no backups: these come and go
 * without a restart, and what they need never counts against the server's memory.
 */
function pxcContainers(cluster: ResolvedGalera): Array<Record<string, unknown>> {
  return [{
    name: 'pxc',
    ...runner(cluster, FILES.run),
    ...common(cluster),
    ports: SERVER_PORTS,
    resources: withEphemeral(cluster.group.resources, EPHEMERAL.request, EPHEMERAL.limit),
  }, {
    name: 'tools',
    ...runner(cluster, FILES.tools),
    ...common(cluster),
    resources: withEphemeral(TOOLS_RESOURCES, '16Mi', '256Mi'),
  }, {
    name: 'member',
    image: cluster.scriptImage,
    ...scriptFields(cluster),
    ...common(cluster),
    ports: [MEMBER_PORT],
    resources: withEphemeral(SCRIPT_RESOURCES, '16Mi', '256Mi'),
  }];
}

function containers(cluster: ResolvedGalera): Array<Record<string, unknown>> {
  const own = cluster.scriptImage === undefined ? mariaDbContainers(cluster) : pxcContainers(cluster);
  return [...own, ...(cluster.pmm ? [pmmContainer(cluster, cluster.pmm)] : [])];
}

function volumes(cluster: ResolvedGalera, member: string): Array<Record<string, unknown>> {
  return [
    { name: 'config', configMap: { name: galeraConfigName(cluster.name), defaultMode: 0o444 } },
    { name: 'data', persistentVolumeClaim: { claimName: volumeName(member, 'data') } },
    { name: 'run', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
    { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
    ...(cluster.pmm ? [{ name: 'pmm', emptyDir: { sizeLimit: '128Mi' } }] : []),
  ];
}

/** The StatefulSet of one member of a Galera cluster. */
export function galeraStatefulSet(cluster: ResolvedGalera, member: string): Manifest {
  const { group } = cluster;
  return statefulSetOf(cluster, {
    member,
    group: group.name,
    spec: {
      serviceAccountName: cluster.name,
      automountServiceAccountToken: true,
      enableServiceLinks: false,
      ...optional('imagePullSecrets', cluster.imagePullSecrets.map((name) => ({ name }))),
      securityContext: restrictedPod(cluster.image.uid),
      terminationGracePeriodSeconds: cluster.stopSeconds + HAND_OVER_SECONDS,
      ...placementFields(group.placement, memberSelector(cluster)),
      containers: containers(cluster),
      volumes: volumes(cluster, member),
    },
  });
}
