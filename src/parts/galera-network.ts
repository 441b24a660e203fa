import { galeraProxySelector } from './galera-proxy';
import { metadata, optional, type Manifest } from './manifest';
import { API_SERVER_PORTS, DNS_PORTS, tcp, type NetworkPeers } from './network-policies';
import { pmmPorts } from './pmm';
import { memberSelector } from './services';
import { COMPONENT, LABEL, agentPodLabels } from '../contract/labels';
import { agentAccessName, arbitratorName, membersServiceName, primaryServiceName, proxyName, replicaServiceName } from '../contract/names';
import {
  GALERA_CHANGES_PORT, GALERA_COPY_PORT, GALERA_GROUP_PORT, GALERA_MEMBER_PORT, MYSQL_PORT, PROXY_HEALTH_PORT,
  PROXY_READ_PORT,
} from '../contract/ports';
import type { ResolvedGalera } from '../resolve/galera';

const MEMBER_PORTS = tcp(GALERA_COPY_PORT, GALERA_GROUP_PORT, GALERA_CHANGES_PORT, GALERA_MEMBER_PORT);

interface Policy {
  readonly name: string;
  readonly pods: Record<string, string>;
  readonly ingress: Array<Record<string, unknown>>;
  /** None: what leaves the Pods is not this policy's matter. */
  readonly egress?: Array<Record<string, unknown>>;
}

function policy(cluster: ResolvedGalera, { name, pods, ingress, egress }: Policy): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(cluster, name),
    spec: {
      podSelector: { matchLabels: pods },
      policyTypes: egress ? ['Ingress', 'Egress'] : ['Ingress'],
      ...optional('ingress', ingress),
      ...optional('egress', egress),
    },
  };
}

function podsWith(labels: Record<string, string>): Record<string, unknown> {
  return { podSelector: { matchLabels: labels } };
}

/** Labels of the arbitrator's Pod. */
export function arbitratorSelector({ name }: ResolvedGalera): Record<string, string> {
  return { [LABEL.cluster]: name, [LABEL.component]: COMPONENT.arbitrator };
}

function agentPolicy(cluster: ResolvedGalera): Manifest[] {
  if (cluster.agent === undefined) return [];
  return [policy(cluster, {
    name: agentAccessName(cluster.name),
    pods: memberSelector(cluster),
    ingress: [{
      from: [podsWith(agentPodLabels(cluster.agent))], ports: tcp(MYSQL_PORT, GALERA_GROUP_PORT, GALERA_MEMBER_PORT),
    }],
  })];
}

function arbitratorPolicy(cluster: ResolvedGalera): Manifest[] {
  if (!cluster.arbitrator) return [];
  const members = podsWith(memberSelector(cluster));
  return [policy(cluster, {
    name: arbitratorName(cluster.name),
    pods: arbitratorSelector(cluster),
    ingress: [{ from: [members], ports: tcp(GALERA_GROUP_PORT) }],
    egress: [{ to: [members], ports: tcp(GALERA_GROUP_PORT, GALERA_MEMBER_PORT) }, { ports: DNS_PORTS }],
  })];
}

/** Clients reach HAProxy, HAProxy the members, members each other; all else is denied both ways. */
export function galeraNetworkPolicies(cluster: ResolvedGalera, peers: NetworkPeers): Manifest[] {
  const members = podsWith(memberSelector(cluster));
  const group = [members, ...(cluster.arbitrator ? [podsWith(arbitratorSelector(cluster))] : [])];
  const dns = { ...optional('to', peers.dns), ports: DNS_PORTS };
  return [
    policy(cluster, {
      name: `${cluster.name}-members`,
      pods: memberSelector(cluster),
      ingress: [
        { from: group, ports: MEMBER_PORTS },
        { from: [podsWith(galeraProxySelector(cluster))], ports: tcp(MYSQL_PORT, GALERA_MEMBER_PORT) },
      ],
      egress: [
        { to: group, ports: MEMBER_PORTS }, dns, { ...optional('to', peers.apiServer), ports: API_SERVER_PORTS },
        ...(cluster.pmm ? [{ ports: tcp(...pmmPorts(cluster.pmm)) }] : []),
      ],
    }),
    policy(cluster, {
      name: proxyName(cluster.name),
      pods: galeraProxySelector(cluster),
      ingress: [{ from: peers.clients as Array<Record<string, unknown>>, ports: tcp(MYSQL_PORT, PROXY_READ_PORT) }, {
        from: [{ podSelector: {} }], ports: tcp(PROXY_HEALTH_PORT),
      }],
      egress: [{ to: [members], ports: tcp(MYSQL_PORT, GALERA_MEMBER_PORT) }, dns],
    }),
    ...agentPolicy(cluster),
    ...arbitratorPolicy(cluster),
  ];
}

interface PodService {
  readonly name: string;
  readonly selector: Record<string, string>;
  readonly ports: Array<Record<string, unknown>>;
  readonly annotations?: Record<string, string>;
  readonly spec?: Record<string, unknown>;
}

function service(cluster: ResolvedGalera, { name, selector, ports, annotations, spec }: PodService): Manifest {
  return {
    apiVersion: 'v1', kind: 'Service', metadata: metadata(cluster, name, { annotations }), spec: { type: 'ClusterIP', ports, selector, ...spec },
  };
}

function servicePort(name: string, port: number, targetPort: string): Record<string, unknown> {
  return { name, port, protocol: 'TCP', targetPort };
}

/**
 * Writes and reads go to HAProxy. Each member has a Service of its own, so that HAProxy knows it by an address that
 * stays; the headless one gives members names for each other, also those that are not ready.
 */
export function galeraServices(cluster: ResolvedGalera): Manifest[] {
  const proxy = galeraProxySelector(cluster);
  const notReady = { publishNotReadyAddresses: true };
  const memberPorts = [servicePort('mysql', MYSQL_PORT, 'mysql'), servicePort('member', GALERA_MEMBER_PORT, 'member')];
  return [
    service(cluster, {
      name: primaryServiceName(cluster.name), selector: proxy, ports: [servicePort('mysql', MYSQL_PORT, 'writer')], annotations: cluster.serviceAnnotations,
    }),
    service(cluster, {
      name: replicaServiceName(cluster.name), selector: proxy, ports: [servicePort('mysql', MYSQL_PORT, 'readers')],
      annotations: cluster.replicaServiceAnnotations,
    }),
    service(cluster, {
      name: membersServiceName(cluster.name), selector: memberSelector(cluster), ports: memberPorts, spec: { clusterIP: 'None', ...notReady },
    }),
    ...cluster.group.members.map((member) => service(cluster, {
      name: member, ports: memberPorts, spec: notReady,
      selector: { ...memberSelector(cluster), [LABEL.member]: member },
    })),
  ];
}
