import { createHash } from 'node:crypto';
import { restrictedContainer, withEphemeral } from './container';
import { budgetSpec } from './disruption';
import { metadata, type Manifest } from './manifest';
import { DNS_PORTS, tcp } from './network-policies';
import { placementFields } from './placement-fields';
import { memberSelector } from './services';
import { COMPONENT, LABEL, agentPodLabels, clusterLabels } from '../contract/labels';
import { POOLER_PORT, POSTGRES_PORT } from '../contract/ports';
import { POOLER_SOCKETS, renderPgbouncer } from '../render/pgbouncer';
import { renderPoolerScript } from '../render/script';
import { POOLER_UID, type ResolvedPooler } from '../resolve/pooler';
import { POOLER_USERLIST_KEY, type ResolvedPostgres } from '../resolve/postgres';

const CONFIG = '/etc/pgbouncer';
const SCRIPT = 'pooler.pl';
const CONFIG_VERSION = 'everest.io/config-version';

/** Labels by which a pooler's own Service, budget and policy find its Pods. They never match members. */
function selector(cluster: ResolvedPostgres, pooler: ResolvedPooler): Record<string, string> {
  return { [LABEL.cluster]: cluster.name, [LABEL.component]: COMPONENT.pooler, [LABEL.pooler]: pooler.name };
}

function config(cluster: ResolvedPostgres, pooler: ResolvedPooler): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(cluster, pooler.objectName),
    data: { 'pgbouncer.ini': renderPgbouncer(pooler), [SCRIPT]: renderPoolerScript() },
  };
}

function service(cluster: ResolvedPostgres, pooler: ResolvedPooler): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(cluster, pooler.objectName, { annotations: pooler.serviceAnnotations }),
    spec: {
      type: 'ClusterIP',
      ports: [{ name: 'postgres', port: POSTGRES_PORT, protocol: 'TCP', targetPort: 'pgbouncer' }],
      selector: selector(cluster, pooler),
    },
  };
}

function budget(cluster: ResolvedPostgres, pooler: ResolvedPooler): Manifest[] {
  if (pooler.instances < 2) return [];
  return [{
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(cluster, pooler.objectName),
    spec: budgetSpec(1, selector(cluster, pooler)),
  }];
}

function agentPeers(cluster: ResolvedPostgres): Array<Record<string, unknown>> {
  return cluster.agent === undefined ? [] : [{ podSelector: { matchLabels: agentPodLabels(cluster.agent) } }];
}

/**
 * Clients and the agent may reach the pooler, and the pooler the members; the members' own policy lets it in.
 */
function networkPolicy(cluster: ResolvedPostgres, pooler: ResolvedPooler, clients: unknown): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(cluster, pooler.objectName),
    spec: {
      podSelector: { matchLabels: selector(cluster, pooler) },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        { from: clients, ports: tcp(POOLER_PORT) },
        ...agentPeers(cluster).map((peer) => ({ from: [peer], ports: tcp(POOLER_PORT) })),
      ],
      egress: [
        { to: [{ podSelector: { matchLabels: memberSelector(cluster) } }], ports: tcp(POSTGRES_PORT) },
        { ports: DNS_PORTS },
      ],
    },
  };
}

/** Clients that are still there are cut after a minute. */
const GRACE_SECONDS = 60;
/** The rest is for PgBouncer's own end. */
const DRAIN_SECONDS = GRACE_SECONDS - 5;
/** Ten seconds apart, six times: a pause that nobody ends any more is over after a minute. */
const LIVENESS = { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 };

function container(pooler: ResolvedPooler): Record<string, unknown> {
  const socket = `${POOLER_SOCKETS}/.s.PGSQL.${POOLER_PORT}`;
  const script = ['perl', `${CONFIG}/${SCRIPT}`];
  return {
    name: 'pgbouncer',
    image: pooler.image,
    imagePullPolicy: 'IfNotPresent',
    args: [`${CONFIG}/pgbouncer.ini`],
    ports: [{ name: 'pgbouncer', containerPort: POOLER_PORT, protocol: 'TCP' }],
    livenessProbe: { exec: { command: [...script, 'alive', socket] }, ...LIVENESS },
    readinessProbe: { tcpSocket: { port: 'pgbouncer' }, periodSeconds: 3, timeoutSeconds: 2, failureThreshold: 2 },
    // While clients are there it goes on as if nothing were, so that they take part in pauses as well.
    lifecycle: { preStop: { exec: { command: [...script, 'drain', socket, String(DRAIN_SECONDS)] } } },
    resources: withEphemeral(pooler.resources, '16Mi', '256Mi'),
    securityContext: restrictedContainer(POOLER_UID),
    volumeMounts: [
      { name: 'config', mountPath: CONFIG, readOnly: true },
      { name: 'userlist', mountPath: `${CONFIG}/users`, readOnly: true },
      { name: 'sockets', mountPath: POOLER_SOCKETS },
    ],
  };
}

/** PgBouncer reads its file once: another one replaces the Pods, one after the other. */
function configVersion(pooler: ResolvedPooler): Record<string, string> {
  return { [CONFIG_VERSION]: createHash('sha256').update(renderPgbouncer(pooler)).digest('hex').slice(0, 16) };
}

function deployment(cluster: ResolvedPostgres, pooler: ResolvedPooler): Manifest {
  const labels = {
    ...clusterLabels(cluster.name, 'postgresql'), ...selector(cluster, pooler), [LABEL.pausable]: String(pooler.pausable),
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(cluster, pooler.objectName, { labels: selector(cluster, pooler) }),
    spec: {
      replicas: pooler.instances,
      selector: { matchLabels: selector(cluster, pooler) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      revisionHistoryLimit: 3,
      template: {
        metadata: { labels: { ...cluster.labels, ...labels }, annotations: configVersion(pooler) },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' }, fsGroup: POOLER_UID },
          terminationGracePeriodSeconds: GRACE_SECONDS,
          ...placementFields(pooler.placement, selector(cluster, pooler)),
          containers: [container(pooler)],
          volumes: [
            { name: 'config', configMap: { name: pooler.objectName, defaultMode: 0o444 } },
            { name: 'sockets', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
            {
              // One key only: the cluster's other passwords never reach the pooler.
              name: 'userlist',
              secret: { secretName: cluster.credentialsSecret, defaultMode: 0o440, items: [{ key: POOLER_USERLIST_KEY, path: 'userlist.txt' }] },
            },
          ],
        },
      },
    },
  };
}

/** The Pods of all poolers of a cluster, as a NetworkPolicy names them. */
export function poolerPeer(cluster: ResolvedPostgres): Record<string, unknown> {
  return { podSelector: { matchLabels: { [LABEL.cluster]: cluster.name, [LABEL.component]: COMPONENT.pooler } } };
}

/** All objects of a pooler. */
export function poolerManifests(cluster: ResolvedPostgres, pooler: ResolvedPooler, clients: unknown): Manifest[] {
  return [
    config(cluster, pooler), networkPolicy(cluster, pooler, clients), service(cluster, pooler),
    ...budget(cluster, pooler), deployment(cluster, pooler),
  ];
}
