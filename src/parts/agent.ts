import { fieldEnvironment, restrictedContainer, withEphemeral } from './container';
import { budgetSpec } from './disruption';
import type { Manifest } from './manifest';
import { DNS_PORTS, tcp } from './network-policies';
import { LOST_NODE, placementFields } from './placement-fields';
import { RBAC, clusterRoleBinding, roleBinding } from './rbac';
import { AGENT_LABELS, agentPodLabels } from '../contract/labels';
import {
  AGENT_PORT, GALERA_GROUP_PORT, GALERA_MEMBER_PORT, MYSQL_PORT, PATRONI_PORT, POOLER_PORT, POSTGRES_PORT,
  PROXY_HEALTH_PORT,
} from '../contract/ports';
import { AGENT_UID, type ResolvedAgent } from '../resolve/agent';

function metadata(agent: ResolvedAgent): Manifest['metadata'] {
  return { name: agent.name, namespace: agent.namespace, labels: { ...AGENT_LABELS, ...agentPodLabels(agent.name) } };
}

function access(agent: ResolvedAgent): Manifest[] {
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata(agent), automountServiceAccountToken: false },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'Role',
      metadata: metadata(agent),
      rules: [
        // Lists and watches cannot be bound to names; what the agent changes is bound by the Role of each cluster.
        { apiGroups: [''], resources: ['configmaps', 'pods'], verbs: ['list', 'watch'] },
        { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['list', 'watch'] },
        { apiGroups: [''], resources: ['events'], verbs: ['create'] },
        { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
        { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [agent.name], verbs: ['get', 'patch'] },
      ],
    },
    roleBinding(metadata(agent), agent.name),
  ];
}

/** Nodes belong to no namespace, so neither does the right to read them; the name is unique for each agent. */
function nodeAccess(agent: ResolvedAgent): Manifest[] {
  if (!agent.watchNodes) return [];
  const meta = { name: `${agent.namespace}-${agent.name}-nodes`, labels: metadata(agent).labels };
  const rules = [{ apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch'] }];
  return [
    { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: meta, rules },
    clusterRoleBinding(meta, { name: agent.name, namespace: agent.namespace }),
  ];
}

function service(agent: ResolvedAgent): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(agent),
    spec: {
      type: 'ClusterIP',
      ports: [{ name: 'http', port: AGENT_PORT, protocol: 'TCP', targetPort: 'http' }],
      selector: agentPodLabels(agent.name),
    },
  };
}

function budget(agent: ResolvedAgent): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(agent),
    spec: budgetSpec(1, agentPodLabels(agent.name)),
  };
}

/** Of members of every engine, and of their proxies. */
const MEMBER_PORTS = tcp(
  POSTGRES_PORT, POOLER_PORT, PATRONI_PORT, MYSQL_PORT, GALERA_GROUP_PORT, GALERA_MEMBER_PORT,
  PROXY_HEALTH_PORT,
);

/**
 * The agent talks to members (each cluster lets it in), to the API server and to DNS; metrics are open to the
 * namespace.
 */
function networkPolicy(agent: ResolvedAgent): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(agent),
    spec: {
      podSelector: { matchLabels: agentPodLabels(agent.name) },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [{ podSelector: {} }], ports: tcp(AGENT_PORT) }],
      egress: [
        { to: [{ podSelector: {} }], ports: MEMBER_PORTS },
        { ports: DNS_PORTS },
        { ports: tcp(443, 6443) },
      ],
    },
  };
}

function container(agent: ResolvedAgent): Record<string, unknown> {
  const probe = (path: string, timing: Record<string, number>) => ({ httpGet: { path, port: 'http', scheme: 'HTTP' }, ...timing });
  return {
    name: 'agent',
    image: agent.image,
    imagePullPolicy: 'IfNotPresent',
    args: ['run'],
    env: [
      fieldEnvironment('POD_NAME', 'metadata.name'), fieldEnvironment('POD_NAMESPACE', 'metadata.namespace'), fieldEnvironment('NODE_NAME', 'spec.nodeName'),
      { name: 'AGENT_NAME', value: agent.name },
      ...(agent.watchNodes ? [{ name: 'AGENT_WATCH_NODES', value: 'true' }] : []),
    ],
    ports: [{ name: 'http', containerPort: AGENT_PORT, protocol: 'TCP' }],
    livenessProbe: probe('/healthz', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 }),
    readinessProbe: probe('/readyz', { periodSeconds: 3, timeoutSeconds: 2, failureThreshold: 2 }),
    resources: withEphemeral(agent.resources, '16Mi', '128Mi'),
    securityContext: restrictedContainer(AGENT_UID),
  };
}

/** Two Pods: the second goes on when the first one's node dies, together with a primary perhaps. */
function deployment(agent: ResolvedAgent): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(agent),
    spec: {
      replicas: 2,
      selector: { matchLabels: agentPodLabels(agent.name) },
      // Readiness is the clusters' health: with maxUnavailable 0 an upgrade of the agent would wait for a sick cluster.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
      revisionHistoryLimit: 3,
      template: {
        metadata: { labels: { ...AGENT_LABELS, ...agentPodLabels(agent.name) } },
        spec: {
          serviceAccountName: agent.name,
          automountServiceAccountToken: true,
          enableServiceLinks: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          terminationGracePeriodSeconds: 30,
          ...placementFields({
            ...agent.placement,
            tolerations: [...LOST_NODE, ...agent.placement.tolerations ?? []],
          }, agentPodLabels(agent.name)),
          containers: [container(agent)],
        },
      },
    },
  };
}

/** All objects of an agent. */
export function agentManifests(agent: ResolvedAgent): Manifest[] {
  const rights = [...access(agent), ...nodeAccess(agent)];
  return [...rights, networkPolicy(agent), service(agent), budget(agent), deployment(agent)];
}
