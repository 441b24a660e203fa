import { postgresManifests } from '../../../src/parts/postgres-manifests';
import { resolved } from '../../support/cluster';

const LATE = { peers: { clients: [], apiServer: [], dns: [] }, contract: '{}' };

function kinds(): string[] {
  const manifests = postgresManifests(resolved(), LATE);
  return [...new Set(manifests.map(({ kind }) => kind))];
}

describe('postgresManifests', () => {
  it('come in an order in which they can be applied: what a member needs before the member', () => {
    expect(kinds()).toEqual([
      'ServiceAccount', 'Role', 'RoleBinding', 'Secret', 'ConfigMap', 'NetworkPolicy', 'Service', 'PodDisruptionBudget', 'PersistentVolumeClaim', 'StatefulSet',
    ]);
  });

  it('never hold the ConfigMaps that Patroni makes, because an apply would set the leader back', () => {
    const names = postgresManifests(resolved(), LATE).map(({ metadata }) => metadata.name);
    expect(names.filter((name) => /-(leader|config|failover|sync)$/.test(name))).toEqual([]);
  });
});
