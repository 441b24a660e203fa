import { createHash } from 'node:crypto';
import { emptySecret, secretRule } from './access';
import { galeraBackupAccess } from './backup';
import { fieldEnvironment, restrictedContainer, withEphemeral } from './container';
import { runner } from './galera-runner';
import { metadata, optional, type Manifest } from './manifest';
import { API_SERVER_PORTS, DNS_PORTS, tcp, type NetworkPeers } from './network-policies';
import { placementFields } from './placement-fields';
import { RBAC, roleBinding } from './rbac';
import { memberSelector } from './services';
import { COMPONENT, LABEL, clusterLabels } from '../contract/labels';
import { archiveAccessName, collectorName, galeraConfigName } from '../contract/names';
import { MYSQL_PORT } from '../contract/ports';
import { GALERA_FILES as FILES, renderGaleraMember } from '../render/galera';
import { renderArchiveScripts } from '../render/script';
import type { ResolvedRepository } from '../resolve/backup';
import type { ResolvedGalera } from '../resolve/galera';

const TLS = '/etc/tls';
const FOLDER = '/var/lib/collector';
/** rclone holds two parts of 16 MiB, the script 40 MiB. */
const RESOURCES = { requests: { cpu: '50m', memory: '160Mi' }, limits: { memory: '384Mi' } };
const TOOLS_RESOURCES = { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '256Mi' } };
const CONFIG_VERSION = 'everest.io/config-version';

function selector({ name }: ResolvedGalera): Record<string, string> {
  return { [LABEL.cluster]: name, [LABEL.component]: COMPONENT.collector };
}

/** Names of Secrets and ConfigMaps that a repository needs, each once. */
function needed({ secrets, files }: ResolvedRepository, resource: 'secrets' | 'configmaps'): string[] {
  const named = files.filter((file) => file.resource === resource).map(({ name }) => name);
  return [...new Set([...(resource === 'secrets' ? secrets.map(({ secret }) => secret) : []), ...named])];
}

type Rules = Array<Record<string, unknown>>;

function role(cluster: ResolvedGalera, name: string, rules: Rules, account: string): Manifest[] {
  return [
    { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata: metadata(cluster, name), rules },
    roleBinding(metadata(cluster, name), account),
  ];
}

/** What leads to the storage: keys, the authority, the pass. */
function readRules(repository: ResolvedRepository, more: readonly string[]): Rules {
  const maps = needed(repository, 'configmaps');
  return [
    ...secretRule([...new Set([...needed(repository, 'secrets'), ...more])], ['get']),
    ...(maps.length > 0 ? [{ apiGroups: [''], resources: ['configmaps'], resourceNames: maps, verbs: ['get'] }] : []),
  ];
}

/** What leads from a member to each storage that it reads or writes. */
function memberAccess(cluster: ResolvedGalera, repositories: readonly ResolvedRepository[]): Manifest[] {
  const name = archiveAccessName(cluster.name);
  const rules = repositories.flatMap((each) => readRules(each, each.pass ? [each.pass.secret] : []));
  return role(cluster, name, rules, cluster.name);
}

/** Until a restore in place is done, what is written goes to the archive that is restored from, as before. */
function sourceInPlace({ recovery, replacement }: ResolvedGalera): ResolvedRepository[] {
  return recovery && replacement ? [recovery.repository] : [];
}

/** The collector reads the same, and fills the pass once. */
function collectorAccess(cluster: ResolvedGalera, repository: ResolvedRepository): Manifest[] {
  const { pass } = repository;
  const fills = pass?.generate ? [pass.secret] : [];
  const reads = pass ? [pass.secret] : [];
  const sources = sourceInPlace(cluster).flatMap((each) => readRules(each, each.pass ? [each.pass.secret] : []));
  const name = collectorName(cluster.name);
  return [
    ...fills.map((secret) => emptySecret(cluster, secret)),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata(cluster, name), automountServiceAccountToken: false },
    ...role(cluster, name, [...readRules(repository, [...reads, cluster.credentialsSecret]), ...secretRule(fills, ['patch']), ...sources], name),
  ];
}

/** The way to a storage. */
export function storageEgress({ port, network }: ResolvedRepository): Record<string, unknown> {
  return { ...optional('to', network.map((peer) => peer._toManifest())), ports: tcp(port) };
}

function policy(cluster: ResolvedGalera, name: string, spec: Record<string, unknown>): Manifest {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: metadata(cluster, name), spec };
}

/** Beside the members' own policy, so that backups come and go without it. */
function memberPolicy(cluster: ResolvedGalera, repositories: readonly ResolvedRepository[]): Manifest {
  return policy(cluster, archiveAccessName(cluster.name), {
    podSelector: { matchLabels: memberSelector(cluster) },
    policyTypes: ['Ingress', 'Egress'],
    ...optional('ingress', cluster.backup ? [{ from: [{ podSelector: { matchLabels: selector(cluster) } }], ports: tcp(MYSQL_PORT) }] : []),
    egress: repositories.map(storageEgress),
  });
}

function collectorPolicy(cluster: ResolvedGalera, repository: ResolvedRepository, peers: NetworkPeers): Manifest {
  return policy(cluster, collectorName(cluster.name), {
    podSelector: { matchLabels: selector(cluster) },
    policyTypes: ['Ingress', 'Egress'],
    egress: [
      { to: [{ podSelector: { matchLabels: memberSelector(cluster) } }], ports: tcp(MYSQL_PORT) },
      { ...optional('to', peers.dns), ports: DNS_PORTS },
      { ...optional('to', peers.apiServer), ports: API_SERVER_PORTS },
      ...[repository, ...sourceInPlace(cluster)].map(storageEgress),
    ],
  });
}

const CONFIG_MOUNT = { name: 'config', mountPath: FILES.folder, readOnly: true };
const TLS_MOUNT = { name: 'tls', mountPath: TLS, readOnly: true };
const FILES_MOUNT = { name: 'files', mountPath: FOLDER };
const TMP_MOUNT = { name: 'tmp', mountPath: '/tmp' };

function common(cluster: ResolvedGalera): Record<string, unknown> {
  return {
    imagePullPolicy: 'IfNotPresent',
    securityContext: restrictedContainer(cluster.image.uid),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [CONFIG_MOUNT, TLS_MOUNT, FILES_MOUNT, TMP_MOUNT],
  };
}

function script(cluster: ResolvedGalera): Record<string, unknown> {
  return {
    name: 'collector',
    image: cluster.scriptImage ?? cluster.image.reference,
    command: [cluster.image.tini, '-s', '--', 'python3', `${FILES.folder}/binlog_collector.py`],
    env: [
      fieldEnvironment('POD_NAME', 'metadata.name'), { name: 'HOME', value: '/tmp' },
      { name: 'EVEREST_COLLECTOR_DIR', value: FOLDER }, { name: 'EVEREST_TLS_DIR', value: TLS },
    ],
    resources: withEphemeral(RESOURCES, '256Mi', '3Gi'),
    ...common(cluster),
  };
}

/** mysqlbinlog is in the vendor's image, and the script is not. */
function containers(cluster: ResolvedGalera): Array<Record<string, unknown>> {
  if (cluster.scriptImage === undefined) return [script(cluster)];
  return [script(cluster), {
    name: 'tools',
    ...runner(cluster, FOLDER),
    resources: withEphemeral(TOOLS_RESOURCES, '16Mi', '256Mi'),
    ...common(cluster),
  }];
}

/** It reads its files once: others make it anew. Databases and users do not concern it. */
function configVersion(cluster: ResolvedGalera): string {
  const content = [renderGaleraMember({ ...cluster, databases: [], owners: [], roles: [] }), ...Object.values(renderArchiveScripts())].join('\0');
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

/** One Pod that sends the binary log of one member; it is made anew wherever it ends, and goes on where it was. */
function collector(cluster: ResolvedGalera): Manifest {
  const name = collectorName(cluster.name);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(cluster, name, { labels: selector(cluster) }),
    spec: {
      replicas: 1,
      selector: { matchLabels: selector(cluster) },
      strategy: { type: 'Recreate' },
      revisionHistoryLimit: 3,
      template: {
        metadata: {
          labels: { ...cluster.labels, ...clusterLabels(cluster.name, cluster.engine), ...selector(cluster) },
          annotations: { [CONFIG_VERSION]: configVersion(cluster) },
        },
        spec: {
          serviceAccountName: name,
          automountServiceAccountToken: true,
          enableServiceLinks: false,
          ...optional('imagePullSecrets', cluster.imagePullSecrets.map((secret) => ({ name: secret }))),
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' }, fsGroup: cluster.image.uid },
          terminationGracePeriodSeconds: 30,
          ...placementFields(cluster.group.placement, selector(cluster)),
          containers: containers(cluster),
          volumes: [
            { name: 'config', configMap: { name: galeraConfigName(cluster.name), defaultMode: 0o444 } },
            { name: 'tls', secret: { secretName: cluster.tlsSecret, defaultMode: 0o440, items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            { name: 'files', emptyDir: { sizeLimit: '2Gi' } },
            { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
          ],
        },
      },
    },
  };
}

/** Everything that a Galera cluster has for its archive, and for the one that it comes from; nothing without either. */
export function galeraArchive(cluster: ResolvedGalera, peers: NetworkPeers): Manifest[] {
  const [repository] = cluster.backup?.repositories ?? [];
  const all = [...(repository ? [repository] : []), ...(cluster.recovery ? [cluster.recovery.repository] : [])];
  if (all.length === 0) return [];
  return [
    ...memberAccess(cluster, all), memberPolicy(cluster, all),
    ...(repository ? [
      ...collectorAccess(cluster, repository), ...galeraBackupAccess(cluster, peers),
      collectorPolicy(cluster, repository, peers), collector(cluster),
    ] : []),
  ];
}
