import { roleSecrets } from './access';
import { metadata, type Manifest } from './manifest';
import { tcp } from './network-policies';
import { RBAC, roleBinding } from './rbac';
import { memberSelector } from './services';
import { COMPONENT, LABEL, agentPodLabels } from '../contract/labels';
import { agentAccessName, failoverName, leaderName, memberName, podName, statusName, syncName } from '../contract/names';
import { PATRONI_PORT, POSTGRES_PORT } from '../contract/ports';
import { MOST_MEMBERS } from '../resolve/groups';
import { type ResolvedPostgres } from '../resolve/postgres';

/** None or one list: a rule without names would cover all Secrets. */
function filledSecrets(cluster: ResolvedPostgres): string[][] {
  const names = roleSecrets(cluster, true);
  return names.length > 0 ? [names] : [];
}

/**
 * Also those that a group has no longer: they are handed over and stopped after the manifests that do not name them any
 * more have been applied, this Role among them.
 */
function everyMember(cluster: ResolvedPostgres): string[] {
  const ordinals = Array.from({ length: MOST_MEMBERS }, (_, index) => index + 1);
  return cluster.groups.flatMap(({ name }) => ordinals.map((ordinal) => memberName(cluster.name, name, ordinal)));
}

/** What the agent may change of this cluster: exactly its own objects, by name. */
function role(cluster: ResolvedPostgres): Manifest {
  const listed = cluster.groups.flatMap((group) => group.members).map(podName);
  const members = everyMember(cluster);
  const named = (apiGroup: string, resource: string, resourceNames: string[], verbs: string[]) =>
    ({ apiGroups: [apiGroup], resources: [resource], resourceNames, verbs });
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: metadata(cluster, agentAccessName(cluster.name)),
    rules: [
      named('', 'configmaps', [leaderName, failoverName, statusName].map((nameOf) => nameOf(cluster.name)), ['get', 'patch']),
      named('', 'configmaps', [syncName(cluster.name)], ['get']),
      named('', 'secrets', [cluster.credentialsSecret, ...roleSecrets(cluster, false)], ['get']),
      ...filledSecrets(cluster).map((names) => named('', 'secrets', names, ['get', 'patch'])),
      named('', 'pods', members.map(podName), ['patch']),
      named('', 'pods/eviction', listed, ['create']),
      named('apps', 'statefulsets', members, ['patch']),
    ],
  };
}

/** Filled by the agent and by Jobs. It stands in Git without data, so that nobody needs a right to make ConfigMaps. */
export function emptyStatus(cluster: ResolvedPostgres): Manifest[] {
  if (cluster.agent === undefined && !cluster.backup) return [];
  const labels = { [LABEL.component]: COMPONENT.status };
  return [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(cluster, statusName(cluster.name), { labels }) }];
}

function networkPolicy(cluster: ResolvedPostgres, agent: string): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(cluster, agentAccessName(cluster.name)),
    spec: {
      podSelector: { matchLabels: memberSelector(cluster) },
      policyTypes: ['Ingress'],
      ingress: [{
        from: [{ podSelector: { matchLabels: agentPodLabels(agent) } }],
        ports: tcp(POSTGRES_PORT, PATRONI_PORT),
      }],
    },
  };
}

/** What a cluster gives to the agent that looks after it; nothing where it names none. */
export function agentAccess(cluster: ResolvedPostgres): Manifest[] {
  const { agent } = cluster;
  if (agent === undefined) return [];
  const binding = roleBinding(metadata(cluster, agentAccessName(cluster.name)), agent);
  return [role(cluster), binding, networkPolicy(cluster, agent)];
}
