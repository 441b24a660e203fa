import { metadata, optional, type Manifest } from './manifest';
import { memberSelector } from './services';
import { PATRONI_PORT, POSTGRES_PORT } from '../contract/ports';
import type { NetworkPeer } from '../network';
import { repositoriesOf, type ResolvedPostgres } from '../resolve/postgres';

/** Peers as NetworkPolicies write them. */
export interface NetworkPeers {
  /** A list, or a token that becomes one at synthesis. */
  readonly clients: unknown;
  readonly apiServer: Array<Record<string, unknown>>;
  readonly dns: Array<Record<string, unknown>>;
}

function policy(cluster: ResolvedPostgres, suffix: string, spec: Record<string, unknown>): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(cluster, `${cluster.name}-${suffix}`),
    spec: { podSelector: { matchLabels: memberSelector(cluster) }, ...spec },
  };
}

/** Ports of a rule. */
export function tcp(...ports: number[]): Array<Record<string, unknown>> {
  return ports.map((port) => ({ port, protocol: 'TCP' }));
}

/** The API server's, by its Service and by its own addresses. */
export const API_SERVER_PORTS = tcp(443, 6443);
/** DNS answers on both. */
export const DNS_PORTS = [{ port: 53, protocol: 'UDP' }, ...tcp(53)];

/** The way to each storage of backups. */
export function storageEgress(cluster: ResolvedPostgres): Array<Record<string, unknown>> {
  return distinct(repositoriesOf(cluster).map(({ port, network }) => egress(port, network)));
}

function egress(port: number, network: readonly NetworkPeer[]): Record<string, unknown> {
  return { ...optional('to', network.map((peer) => peer._toManifest())), ports: tcp(port) };
}

/** The way to the primary of the cluster that is followed. */
function followedEgress({ standby }: ResolvedPostgres): Array<Record<string, unknown>> {
  return standby?.host === undefined ? [] : [egress(standby.port, standby.network)];
}

/** The source of a recovery is often in the storage that backups go to. */
function distinct(rules: Array<Record<string, unknown>>): Array<Record<string, unknown>> {
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

/**
 * Members talk to each other (replication, Patroni's REST API), to DNS, to the Kubernetes API and to the storage of
 * backups; all else is denied
 * both ways.
 */
export function memberNetworkPolicy(cluster: ResolvedPostgres, peers: NetworkPeers): Manifest {
  const members = [{ podSelector: { matchLabels: memberSelector(cluster) } }];
  const memberPorts = tcp(POSTGRES_PORT, PATRONI_PORT);
  return policy(cluster, 'members', {
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ from: members, ports: memberPorts }],
    egress: [
      { to: members, ports: memberPorts },
      { ...optional('to', peers.dns), ports: DNS_PORTS },
      { ...optional('to', peers.apiServer), ports: API_SERVER_PORTS },
      ...storageEgress(cluster),
      ...followedEgress(cluster),
    ],
  });
}

/** Clients reach PostgreSQL and nothing else. */
export function clientNetworkPolicy(cluster: ResolvedPostgres, peers: NetworkPeers): Manifest {
  return policy(cluster, 'clients', {
    policyTypes: ['Ingress'],
    ingress: [{ from: peers.clients, ports: tcp(POSTGRES_PORT) }],
  });
}
