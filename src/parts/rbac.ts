import type { Manifest } from './manifest';

/** API group of Roles. */
export const RBAC = 'rbac.authorization.k8s.io';

/** Gives a ClusterRole of that name to a ServiceAccount; neither has a namespace. */
export function clusterRoleBinding(metadata: Manifest['metadata'], account: { name: string; namespace: string }): Manifest {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata,
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: metadata.name },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  };
}

/** Gives the Role of the same name to a ServiceAccount of the same namespace. */
export function roleBinding(metadata: Manifest['metadata'], serviceAccount: string): Manifest {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: RBAC, kind: 'Role', name: metadata.name },
    subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace: metadata.namespace }],
  };
}
