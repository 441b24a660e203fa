import { createHash } from 'node:crypto';
import { configMap } from './config';
import { restrictedContainer, withEphemeral } from './container';
import { budgetSpec } from './disruption';
import { metadata, optional, type Manifest } from './manifest';
import { placementFields } from './placement-fields';
import { COMPONENT, LABEL, clusterLabels } from '../contract/labels';
import { proxyName } from '../contract/names';
import { MYSQL_PORT, PROXY_HEALTH_PORT, PROXY_READ_PORT } from '../contract/ports';
import { renderHaproxy } from '../render/haproxy';
import { PROXY_UID, type ResolvedGalera } from '../resolve/galera';

const CONFIG = '/usr/local/etc/haproxy';
/** Says which configuration a Pod started with. */
const CONFIG_VERSION = 'everest.io/config-version';
/** Until Services have forgotten the Pod, then until sessions have ended; HAProxy cuts the rest (hard-stop-after). */
const FORGET_SECONDS = 5;
const GRACE_SECONDS = 60;

/** Labels of HAProxy's Pods. */
export function galeraProxySelector({ name }: Pick<ResolvedGalera, 'name'>): Record<string, string> {
  return { [LABEL.cluster]: name, [LABEL.component]: COMPONENT.proxy };
}

function container({ proxy }: ResolvedGalera): Record<string, unknown> {
  const health = (timing: Record<string, number>) => ({ httpGet: { path: '/healthz', port: 'health', scheme: 'HTTP' }, ...timing, successThreshold: 1 });
  return {
    name: 'haproxy',
    image: proxy.image,
    imagePullPolicy: 'IfNotPresent',
    args: ['-W', '-db', '-f', `${CONFIG}/haproxy.cfg`],
    ports: [
      { name: 'writer', containerPort: MYSQL_PORT, protocol: 'TCP' }, { name: 'readers', containerPort: PROXY_READ_PORT, protocol: 'TCP' },
      { name: 'health', containerPort: PROXY_HEALTH_PORT, protocol: 'TCP' },
    ],
    livenessProbe: health({ periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 }),
    readinessProbe: health({ periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2 }),
    lifecycle: { preStop: { exec: { command: ['sh', '-c', `sleep ${FORGET_SECONDS}; kill -USR1 1; sleep ${GRACE_SECONDS - 2 * FORGET_SECONDS}`] } } },
    resources: withEphemeral(proxy.resources, '16Mi', '128Mi'),
    securityContext: restrictedContainer(PROXY_UID),
    volumeMounts: [{ name: 'config', mountPath: CONFIG, readOnly: true }],
  };
}

function deployment(cluster: ResolvedGalera): Manifest {
  const { proxy } = cluster;
  const selector = galeraProxySelector(cluster);
  // HAProxy reads its file once: another one replaces the Pods, one after the other.
  const version = createHash('sha256').update(renderHaproxy(cluster)).digest('hex').slice(0, 16);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(cluster, proxyName(cluster.name), { labels: selector }),
    spec: {
      replicas: proxy.instances,
      selector: { matchLabels: selector },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      revisionHistoryLimit: 3,
      template: {
        metadata: {
          labels: { ...cluster.labels, ...clusterLabels(cluster.name, cluster.engine), ...selector },
          annotations: { [CONFIG_VERSION]: version },
        },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          ...optional('imagePullSecrets', cluster.imagePullSecrets.map((name) => ({ name }))),
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          terminationGracePeriodSeconds: GRACE_SECONDS,
          ...placementFields(proxy.placement, selector),
          containers: [container(cluster)],
          volumes: [{ name: 'config', configMap: { name: proxyName(cluster.name), defaultMode: 0o444 } }],
        },
      },
    },
  };
}

/** HAProxy: configuration, budget, Pods. */
export function galeraProxy(cluster: ResolvedGalera): Manifest[] {
  const name = proxyName(cluster.name);
  const budget = cluster.proxy.instances < 2 ? [] : [{
    apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: metadata(cluster, name), spec: budgetSpec(1, galeraProxySelector(cluster)),
  }];
  return [configMap(cluster, name, { 'haproxy.cfg': renderHaproxy(cluster) }), ...budget, deployment(cluster)];
}
