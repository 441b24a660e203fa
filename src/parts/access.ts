import { metadata, type Manifest } from './manifest';
import { RBAC, roleBinding } from './rbac';
import { KEEP_ANNOTATIONS } from '../contract/labels';
import { SNAPSHOT_API } from '../contract/snapshot';
import type { ClusterIdentity } from '../resolve/identity';
import { repositoriesOf, type ResolvedPostgres } from '../resolve/postgres';

/** What members need to start: the agent sees to the Secrets of other roles. */
function memberSecrets(cluster: ResolvedPostgres): string[] {
  return [cluster.credentialsSecret, ...cluster.owners.map((owner) => owner.secret)];
}

/** Secrets that members read for pgBackRest, those that they fill or the others. */
function backupSecrets(cluster: ResolvedPostgres, filled: boolean): string[] {
  const names = repositoriesOf(cluster).flatMap(({ secrets, files, pass }) => [
    ...(filled ? [] : secrets.map(({ secret }) => secret)),
    ...(filled ? [] : files.filter(({ resource }) => resource === 'secrets').map(({ name }) => name)),
    ...(pass?.generate === filled ? [pass.secret] : []),
  ]);
  return [...new Set(names)];
}

/** A rule of a Role over Secrets by name, or none. */
export function secretRule(names: string[], verbs: string[]): Array<Record<string, unknown>> {
  // Without names a rule would cover all Secrets.
  return names.length > 0 ? [{ apiGroups: [''], resources: ['secrets'], resourceNames: names, verbs }] : [];
}

/** Secrets of roles, those that are filled or those that are somebody else's. */
export function roleSecrets(cluster: ResolvedPostgres, filled: boolean): string[] {
  return cluster.roles.flatMap(({ secret }) => (secret?.fill === filled ? [secret.name] : []));
}

/**
 * Secrets without a value. They stand in Git so that the members need no right to create Secrets, only to fill these;
 * appliers leave the filled-in keys alone, since no manifest ever named them.
 */
export function emptySecrets(cluster: ResolvedPostgres): Manifest[] {
  const credentials = cluster.generatesCredentials ? [cluster.credentialsSecret, ...roleSecrets(cluster, true)] : [];
  return [...credentials, ...backupSecrets(cluster, true)].map((name) => emptySecret(cluster, name));
}

/** A Secret that somebody of the cluster fills. */
export function emptySecret(cluster: ClusterIdentity, name: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(cluster, name, cluster.retainsData ? { annotations: KEEP_ANNOTATIONS } : {}),
    type: 'Opaque',
  };
}

export function serviceAccount(cluster: ResolvedPostgres): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata(cluster, cluster.name, { annotations: cluster.accountAnnotations }),
    automountServiceAccountToken: false,
  };
}

/** The one that the first data come with. */
function snapshotRule({ recovery }: ResolvedPostgres): Array<Record<string, unknown>> {
  if (recovery?.snapshot === undefined) return [];
  return [{ apiGroups: [SNAPSHOT_API.group], resources: [SNAPSHOT_API.plural], resourceNames: [recovery.snapshot], verbs: ['get'] }];
}

/**
 * The members' rights: what Patroni with ConfigMaps as its store was seen to use, and the cluster's own Secrets.
 * Patroni names its ConfigMaps itself and lists by label, so these verbs cannot be bound to names.
 */
export function memberRole(cluster: ResolvedPostgres): Manifest {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: metadata(cluster, cluster.name),
    rules: [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'get', 'list', 'patch', 'watch'] },
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'patch', 'watch'] },
      ...secretRule(memberSecrets(cluster), cluster.generatesCredentials ? ['get', 'patch'] : ['get']),
      ...secretRule(backupSecrets(cluster, true), ['get', 'patch']),
      ...secretRule(backupSecrets(cluster, false), ['get']),
      ...snapshotRule(cluster),
    ],
  };
}

export function memberRoleBinding(cluster: ClusterIdentity): Manifest {
  return roleBinding(metadata(cluster, cluster.name), cluster.name);
}
