import { memberRoleBinding } from './access';
import { disruptionBudget } from './disruption';
import { galeraAgentAccess, galeraConfigMaps, galeraMemberRole, galeraSecrets } from './galera-access';
import { galeraArbitrator } from './galera-arbitrator';
import { galeraArchive } from './galera-archive';
import { galeraStatefulSet } from './galera-member';
import { galeraNetworkPolicies, galeraServices } from './galera-network';
import { galeraProxy } from './galera-proxy';
import { metadata, type Manifest } from './manifest';
import type { NetworkPeers } from './network-policies';
import { volumeClaim } from './volumes';
import { volumeName } from '../contract/names';
import type { ResolvedGalera } from '../resolve/galera';

/** What only the construct knows: who may connect, and the contract, which grows with its schedules. */
export interface GaleraSurroundings {
  readonly peers: NetworkPeers;
  readonly contract: unknown;
}

/**
 * All objects of a Galera cluster, in the order in which they can be applied: rights and data before what uses them.
 */
export function galeraManifests(cluster: ResolvedGalera, { peers, contract }: GaleraSurroundings): Manifest[] {
  const { members, storage } = cluster.group;
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata(cluster, cluster.name), automountServiceAccountToken: false },
    galeraMemberRole(cluster),
    memberRoleBinding(cluster),
    ...galeraSecrets(cluster),
    ...galeraConfigMaps(cluster, contract),
    ...galeraAgentAccess(cluster),
    ...galeraNetworkPolicies(cluster, peers),
    ...galeraServices(cluster),
    ...disruptionBudget(cluster),
    ...galeraProxy(cluster),
    ...members.map((member) => volumeClaim(cluster, member, {
      name: volumeName(member, 'data'), size: storage.size, storageClassName: storage.storageClassName,
    })),
    ...members.map((member) => galeraStatefulSet(cluster, member)),
    ...galeraArbitrator(cluster),
    ...galeraArchive(cluster, peers),
  ];
}
