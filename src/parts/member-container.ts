import { configName, volumeName } from '../contract/names';
import { PATRONI_PORT, POSTGRES_PORT } from '../contract/ports';
import { byteQuantity } from '../quantity';
import { fieldEnvironment, restrictedContainer, withEphemeral } from './container';
import { FILES, groupFileName } from '../render/files';
import type { ResolvedGroup } from '../resolve/groups';
import { type ResolvedPostgres } from '../resolve/postgres';

/** Seconds that crash recovery or a copy of the data may take before the kubelet gives up on a start: one hour. */
const STARTUP_BUDGET_SECONDS = 3600;

/**
 * Container logs and /tmp only; PostgreSQL's temporary files lie on the data volume. The kubelet keeps 50 MiB of logs.
 */
const EPHEMERAL = { request: '128Mi', limit: '1Gi' };

function environment(cluster: ResolvedPostgres): Array<Record<string, unknown>> {
  return [
    fieldEnvironment('PATRONI_NAME', 'metadata.name'),
    fieldEnvironment('PATRONI_KUBERNETES_NAMESPACE', 'metadata.namespace'),
    fieldEnvironment('PATRONI_KUBERNETES_POD_IP', 'status.podIP'),
    { name: 'PATRONI_POSTGRESQL_CONNECT_ADDRESS', value: `$(PATRONI_KUBERNETES_POD_IP):${POSTGRES_PORT}` },
    { name: 'PATRONI_RESTAPI_CONNECT_ADDRESS', value: `$(PATRONI_KUBERNETES_POD_IP):${PATRONI_PORT}` },
    { name: 'PGHOST', value: FILES.sockets },
    { name: 'PGUSER', value: 'postgres' },
    // Also for people and Jobs that run pgBackRest in here.
    { name: 'PGBACKREST_CONFIG', value: `${FILES.folder}/${FILES.pgbackrest}` },
    { name: 'PGBACKREST_CONFIG_INCLUDE_PATH', value: FILES.backup },
    { name: 'PATH', value: `${cluster.image.binDirectory}:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin` },
  ];
}

function httpProbe(path: string, timing: Record<string, number>): Record<string, unknown> {
  return { httpGet: { path, port: 'patroni', scheme: 'HTTP' }, ...timing };
}

/**
 * Liveness follows Patroni's own clock: a member whose loop stands still longer than the lease is restarted, one whose
 * PostgreSQL recovers is not. Readiness is quick, since Services wait for it.
 */
function probes(cluster: ResolvedPostgres): Record<string, unknown> {
  const { ttl, loop_wait: loopWait } = cluster.patroni;
  return {
    startupProbe: httpProbe('/liveness', {
      periodSeconds: 1, timeoutSeconds: 5, failureThreshold: STARTUP_BUDGET_SECONDS, successThreshold: 1,
    }),
    livenessProbe: httpProbe('/liveness', {
      periodSeconds: loopWait,
      timeoutSeconds: Math.max(1, Math.floor(loopWait / 2)),
      failureThreshold: Math.max(1, Math.floor(ttl / loopWait)),
      successThreshold: 1,
    }),
    readinessProbe: httpProbe('/readiness', { periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 3, successThreshold: 1 }),
  };
}

/** The one container of a member: tini, member.py, then Patroni, which runs PostgreSQL. */
export function memberContainer(cluster: ResolvedPostgres, group: ResolvedGroup): Record<string, unknown> {
  const mounts = [
    { name: 'config', mountPath: FILES.folder, readOnly: true },
    { name: 'data', mountPath: FILES.data },
    ...(group.storage.walSize ? [{ name: 'wal', mountPath: FILES.wal }] : []),
    { name: 'shm', mountPath: '/dev/shm' },
    { name: 'sockets', mountPath: FILES.sockets },
    { name: 'tmp', mountPath: '/tmp' },
  ];
  return {
    name: 'postgres',
    image: cluster.image.reference,
    imagePullPolicy: 'IfNotPresent',
    command: [cluster.image.tini, '-s', '--', 'python3', `${FILES.folder}/${FILES.script}`, 'start'],
    env: environment(cluster),
    ports: [
      { name: 'postgres', containerPort: POSTGRES_PORT, protocol: 'TCP' },
      { name: 'patroni', containerPort: PATRONI_PORT, protocol: 'TCP' },
    ],
    ...probes(cluster),
    lifecycle: { preStop: { exec: { command: ['python3', `${FILES.folder}/${FILES.script}`, 'hand-over'] } } },
    resources: withEphemeral(group.resources, EPHEMERAL.request, EPHEMERAL.limit),
    securityContext: restrictedContainer(cluster.image.uid),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: mounts,
  };
}

/** The configuration as files: Patroni reads the folder `patroni` in order, later files win. */
function configVolume(cluster: ResolvedPostgres, group: ResolvedGroup): Record<string, unknown> {
  const items = [
    { key: FILES.script, path: FILES.script },
    { key: FILES.kube, path: FILES.kube },
    { key: FILES.recovery, path: FILES.recovery },
    { key: FILES.snapshot, path: FILES.snapshot },
    { key: FILES.member, path: FILES.member },
    { key: FILES.archive, path: FILES.archive },
    { key: FILES.pgbackrest, path: FILES.pgbackrest },
    { key: FILES.patroni, path: `patroni/10-${FILES.patroni}` },
    ...(group.promotable ? [] : [{ key: groupFileName(group.name), path: `patroni/20-${groupFileName(group.name)}` }]),
  ];
  return { name: 'config', configMap: { name: configName(cluster.name), defaultMode: 0o444, items } };
}

function claimVolume(member: string, volume: 'data' | 'wal'): Record<string, unknown> {
  return { name: volume, persistentVolumeClaim: { claimName: volumeName(member, volume) } };
}

/** Volumes of one member's Pod. */
export function memberPodVolumes(cluster: ResolvedPostgres, group: ResolvedGroup,
  member: string): Array<Record<string, unknown>> {
  return [
    configVolume(cluster, group),
    claimVolume(member, 'data'),
    ...(group.storage.walSize ? [claimVolume(member, 'wal')] : []),
    { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: byteQuantity(cluster.sharedMemoryBytes) } },
    { name: 'sockets', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
    { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
  ];
}
