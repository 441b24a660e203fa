import { emptySecret, secretRule } from './access';
import { configMap, contract } from './config';
import { metadata, type Manifest } from './manifest';
import { RBAC, roleBinding } from './rbac';
import { COMPONENT, LABEL } from '../contract/labels';
import { agentAccessName, galeraConfigName, galeraRecordName, memberName, statusName } from '../contract/names';
import { GALERA_FILES as FILES, renderGaleraMember, renderMyCnf } from '../render/galera';
import { renderGaleraScripts } from '../render/script';
import type { ResolvedGalera } from '../resolve/galera';

/** Most members that a cluster may have had: those that it has no longer are handed over before they go. */
export const MOST_GALERA_MEMBERS = 7;

/** Secrets that members fill, or only read. */
function memberSecrets(cluster: ResolvedGalera, filled: boolean): string[] {
  const all = [
    { name: cluster.credentialsSecret, fill: cluster.generatesCredentials },
    { name: cluster.tlsSecret, fill: cluster.generatesTls },
    ...[...cluster.owners, ...cluster.roles].map(({ secret, generate }) => ({ name: secret, fill: generate })),
  ];
  return all.filter(({ fill }) => fill === filled).map(({ name }) => name);
}

/** Secrets without a value: members need no right to create any, only to fill these. */
export function galeraSecrets(cluster: ResolvedGalera): Manifest[] {
  return memberSecrets(cluster, true).map((name) => emptySecret(cluster, name));
}

/** Members read their Secrets, fill those that are empty, and note once that there are data. Nothing else. */
export function galeraMemberRole(cluster: ResolvedGalera): Manifest {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: metadata(cluster, cluster.name),
    rules: [
      { apiGroups: [''], resources: ['configmaps'], resourceNames: [galeraRecordName(cluster.name)], verbs: ['get', 'patch'] },
      ...secretRule(memberSecrets(cluster, true), ['get', 'patch']),
      ...secretRule(memberSecrets(cluster, false), ['get']),
    ],
  };
}

/**
 * Filled by the agent and by members. They stand in Git without data, so that nobody needs a right to make ConfigMaps.
 */
function emptyRecords(cluster: ResolvedGalera): Manifest[] {
  const labels = { [LABEL.component]: COMPONENT.status };
  return [galeraRecordName(cluster.name), statusName(cluster.name)].map((name) =>
    ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(cluster, name, { labels }) }));
}

/** Scripts and settings of the members, what the agent may count on, and the records. */
export function galeraConfigMaps(cluster: ResolvedGalera, document: unknown): Manifest[] {
  return [
    configMap(cluster, galeraConfigName(cluster.name), {
      [FILES.settings]: renderMyCnf(cluster), [FILES.member]: renderGaleraMember(cluster), ...renderGaleraScripts(),
    }),
    contract(cluster, document),
    ...emptyRecords(cluster),
  ];
}

/** What the agent may change of this cluster: exactly its own objects, by name. */
export function galeraAgentAccess(cluster: ResolvedGalera): Manifest[] {
  if (cluster.agent === undefined) return [];
  const every = Array.from({ length: MOST_GALERA_MEMBERS },
    (_, index) => memberName(cluster.name, cluster.group.name, index + 1));
  const named = (apiGroup: string, resource: string, resourceNames: string[], verbs: string[]) =>
    ({ apiGroups: [apiGroup], resources: [resource], resourceNames, verbs });
  return [{
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: metadata(cluster, agentAccessName(cluster.name)),
    rules: [
      named('', 'configmaps', [statusName(cluster.name), galeraRecordName(cluster.name)], ['get', 'patch']),
      named('', 'secrets', [cluster.credentialsSecret], ['get']),
      // Of any Pod: those of HAProxy's Deployment have names that nobody knows before. Budgets count.
      { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
      named('apps', 'statefulsets', every, ['patch']),
    ],
  }, roleBinding(metadata(cluster, agentAccessName(cluster.name)), cluster.agent)];
}
