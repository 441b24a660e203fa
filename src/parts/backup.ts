import { fieldEnvironment, restrictedContainer, withEphemeral } from './container';
import { cronJob } from './cron-job';
import { metadata, optional, type Manifest } from './manifest';
import { API_SERVER_PORTS, type NetworkPeers } from './network-policies';
import { LOST_NODE } from './placement-fields';
import { RBAC, roleBinding } from './rbac';
import { COMPONENT, LABEL, clusterLabels } from '../contract/labels';
import { backupName, contractName, leaderName, podName, statusName } from '../contract/names';
import { SNAPSHOT_API } from '../contract/snapshot';
import { AGENT_UID } from '../resolve/agent';
import type { ResolvedBackup, ResolvedSchedule } from '../resolve/backup';
import type { ResolvedGalera } from '../resolve/galera';
import type { ClusterIdentity } from '../resolve/identity';
import type { ResolvedPostgres } from '../resolve/postgres';

/** What the objects of backups have to do with a cluster, whatever its engine. */
export interface BackedUp extends ClusterIdentity {
  readonly backup?: ResolvedBackup;
  readonly imagePullSecrets: string[];
}

/** What a Job has to see of a cluster. */
interface Reach {
  readonly pods: string[];
  readonly configMaps: string[];
}

function labels(cluster: ClusterIdentity): Record<string, string> {
  return { [LABEL.cluster]: cluster.name, [LABEL.component]: COMPONENT.backup };
}

function meta(cluster: ClusterIdentity): Manifest['metadata'] {
  return metadata(cluster, backupName(cluster.name), { labels: labels(cluster) });
}

/** What a Job may do: find the right member, run pgBackRest in it, and tell the result. All of it by name. */
function role(cluster: BackedUp, { pods, configMaps }: Reach): Manifest {
  const named = (apiGroup: string, resource: string, resourceNames: string[], verbs: string[]) =>
    ({ apiGroups: [apiGroup], resources: [resource], resourceNames, verbs });
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: meta(cluster),
    rules: [
      named('', 'configmaps', configMaps, ['get']),
      named('', 'configmaps', [statusName(cluster.name)], ['get', 'patch']),
      named('', 'pods', pods, ['get']),
      // A WebSocket begins with a GET; newer API servers ask for create as well.
      named('', 'pods/exec', pods, ['create', 'get']),
      named('coordination.k8s.io', 'leases', [backupName(cluster.name)], ['get', 'patch']),
    ],
  };
}

/** Whose backup runs: one at a time in a cluster. It stands in Git empty, since nothing can be created by name. */
function lock(cluster: ClusterIdentity): Manifest {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: meta(cluster), spec: {} };
}

function networkPolicy(cluster: ClusterIdentity, peers: NetworkPeers): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: meta(cluster),
    spec: {
      podSelector: { matchLabels: labels(cluster) },
      policyTypes: ['Ingress', 'Egress'],
      egress: [{ ...optional('to', peers.apiServer), ports: API_SERVER_PORTS }],
    },
  };
}

/** What all schedules of a cluster share; nothing without backups. */
function accessOf(cluster: BackedUp, reach: Reach, peers: NetworkPeers): Manifest[] {
  if (!cluster.backup) return [];
  const metadataOfAll = meta(cluster);
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadataOfAll, automountServiceAccountToken: false },
    role(cluster, reach),
    roleBinding(metadataOfAll, backupName(cluster.name)),
    lock(cluster),
    networkPolicy(cluster, peers),
  ];
}

/** For a cluster of PostgreSQL: the lease says which member is the primary. */
export function backupAccess(cluster: ResolvedPostgres, peers: NetworkPeers): Manifest[] {
  const pods = cluster.groups.flatMap((group) => group.members).map(podName);
  return accessOf(cluster, { pods, configMaps: [contractName(cluster.name), leaderName(cluster.name)] }, peers);
}

/** For a Galera cluster: members tell themselves what they are. */
export function galeraBackupAccess(cluster: ResolvedGalera, peers: NetworkPeers): Manifest[] {
  const pods = cluster.group.members.map(podName);
  return accessOf(cluster, { pods, configMaps: [contractName(cluster.name)] }, peers);
}

function snapshotArguments({ snapshot }: ResolvedSchedule): string[] {
  if (!snapshot) return [];
  const { className, keep } = snapshot;
  return ['--keep', String(keep), ...(className === undefined ? [] : ['--class', className])];
}

/**
 * What the Jobs of a schedule of VolumeSnapshots may do beyond those of others. Neither `create` nor `list` can be
 * bound to names, and the names have the time in them.
 */
export function snapshotAccess(cluster: BackedUp, { snapshot, objectName }: ResolvedSchedule): Manifest[] {
  if (!snapshot) return [];
  const metadataOfBoth = metadata(cluster, objectName, { labels: labels(cluster) });
  const verbs = ['create', 'delete', 'get', 'list', 'patch'];
  return [
    {
      apiVersion: `${RBAC}/v1`, kind: 'Role', metadata: metadataOfBoth,
      rules: [{ apiGroups: [SNAPSHOT_API.group], resources: [SNAPSHOT_API.plural], verbs }],
    },
    roleBinding(metadataOfBoth, backupName(cluster.name)),
  ];
}

function container(cluster: BackedUp, schedule: ResolvedSchedule): Record<string, unknown> {
  const { name, type, repository, target } = schedule;
  return {
    name: 'backup',
    image: cluster.backup!.jobImage,
    imagePullPolicy: 'IfNotPresent',
    args: [
      'backup', '--cluster', cluster.name, '--schedule', name, '--type', type,
      '--repository', String(repository), '--target', target, ...snapshotArguments(schedule),
    ],
    env: [fieldEnvironment('POD_NAME', 'metadata.name'), fieldEnvironment('POD_NAMESPACE', 'metadata.namespace')],
    resources: withEphemeral(schedule.resources, '16Mi', '128Mi'),
    securityContext: restrictedContainer(AGENT_UID),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };
}

/** A Pod that is taken away (its node drained) is tried again; a backup that failed twice needs a look. */
const RETRIES = 2;

/** One schedule. */
export function backupCronJob(cluster: BackedUp, schedule: ResolvedSchedule): Manifest {
  const podLabels = { ...cluster.labels, ...clusterLabels(cluster.name, cluster.engine), ...labels(cluster) };
  return cronJob({
    metadata: metadata(cluster, schedule.objectName, { labels: labels(cluster) }),
    schedule,
    podLabels,
    job: { backoffLimit: RETRIES },
    podSpec: {
      serviceAccountName: backupName(cluster.name),
      automountServiceAccountToken: true,
      enableServiceLinks: false,
      restartPolicy: 'Never',
      ...optional('imagePullSecrets', cluster.imagePullSecrets.map((name) => ({ name }))),
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      // The Lease guards against two at a time.
      tolerations: LOST_NODE,
      // With any grace the Pod of a lost node would stay until the node is back, and neither its Job nor a CronJob that
      // forbids two at a time would go on. The kubelet gives 2 s in any case.
      terminationGracePeriodSeconds: 0,
      containers: [container(cluster, schedule)],
    },
  });
}
