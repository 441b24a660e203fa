import { emptySecrets, memberRole, memberRoleBinding, serviceAccount } from './access';
import { agentAccess, emptyStatus } from './agent-access';
import { backupAccess } from './backup';
import { contract, memberConfig } from './config';
import { disruptionBudget } from './disruption';
import { externalSecrets } from './external-secrets';
import type { Manifest } from './manifest';
import { memberStatefulSet } from './member-stateful-set';
import { clientNetworkPolicy, memberNetworkPolicy, type NetworkPeers } from './network-policies';
import { membersService, primaryService, replicaService } from './services';
import { memberVolumes } from './volumes';
import type { ResolvedPostgres } from '../resolve/postgres';

/** What is only known at synthesis, since methods of the construct add to it: tokens. */
export interface LateParts {
  readonly peers: NetworkPeers;
  readonly contract: unknown;
}

/** All objects of a cluster, in the order in which they can be applied: rights and data before what uses them. */
export function postgresManifests(cluster: ResolvedPostgres, { peers, contract: document }: LateParts): Manifest[] {
  const eachMember = (make: (group: ResolvedPostgres['groups'][number], member: string) => Manifest[]) =>
    cluster.groups.flatMap((group) => group.members.flatMap((member) => make(group, member)));
  return [
    serviceAccount(cluster),
    memberRole(cluster),
    memberRoleBinding(cluster),
    ...emptySecrets(cluster),
    ...externalSecrets(cluster),
    memberConfig(cluster),
    contract(cluster, document),
    ...emptyStatus(cluster),
    ...agentAccess(cluster),
    ...backupAccess(cluster, peers),
    memberNetworkPolicy(cluster, peers),
    clientNetworkPolicy(cluster, peers),
    primaryService(cluster),
    replicaService(cluster),
    membersService(cluster),
    ...disruptionBudget(cluster),
    ...eachMember((group, member) => memberVolumes(cluster, group, member)),
    ...eachMember((group, member) => [memberStatefulSet(cluster, group, member)]),
  ];
}
