import { metadata, optional, type Manifest } from './manifest';
import { COMPONENT, LABEL, ROLE } from '../contract/labels';
import { membersServiceName, primaryServiceName, replicaServiceName } from '../contract/names';
import { PATRONI_PORT, POSTGRES_PORT } from '../contract/ports';
import type { ClusterIdentity } from '../resolve/identity';
import { type ResolvedPostgres } from '../resolve/postgres';

/** Labels that every member's Pod has and nothing else. */
export function memberSelector(cluster: Pick<ClusterIdentity, 'name'>): Record<string, string> {
  return { [LABEL.cluster]: cluster.name, [LABEL.component]: COMPONENT.member };
}

const POSTGRES_SERVICE_PORT = { name: 'postgres', port: POSTGRES_PORT, protocol: 'TCP', targetPort: 'postgres' };

interface RoleService {
  readonly name: string;
  readonly role: string;
  readonly annotations: Record<string, string>;
  readonly spec?: Record<string, unknown>;
}

function roleService(cluster: ResolvedPostgres, { name, role, annotations, spec }: RoleService): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(cluster, name, { annotations }),
    spec: {
      type: 'ClusterIP',
      ports: [POSTGRES_SERVICE_PORT],
      selector: { ...memberSelector(cluster), [LABEL.role]: role },
      ...spec,
    },
  };
}

/** Writes go to the member that Patroni labels primary. */
export function primaryService(cluster: ResolvedPostgres): Manifest {
  return roleService(cluster, {
    name: primaryServiceName(cluster.name), role: ROLE.primary, annotations: cluster.serviceAnnotations,
  });
}

/** Reads that may lag go to the standbys. */
export function replicaService(cluster: ResolvedPostgres): Manifest {
  return roleService(cluster, {
    name: replicaServiceName(cluster.name),
    role: ROLE.replica,
    annotations: cluster.replicaServiceAnnotations,
    spec: optional('trafficDistribution', cluster.preferSameZoneReads ? 'PreferClose' : undefined),
  });
}

/** Names of the members for each other. Members that are not Ready are in it: they need each other to become Ready. */
export function membersService(cluster: ResolvedPostgres): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(cluster, membersServiceName(cluster.name)),
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      ports: [POSTGRES_SERVICE_PORT, { name: 'patroni', port: PATRONI_PORT, protocol: 'TCP', targetPort: 'patroni' }],
      selector: memberSelector(cluster),
    },
  };
}
