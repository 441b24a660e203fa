import { membersService, primaryService, replicaService } from '../../../src/parts/services';
import { resolved } from '../../support/cluster';

describe('services', () => {
  it('send writes to the label that only Patroni sets, and never to the leader of a standby cluster', () => {
    expect(primaryService(resolved()).spec).toMatchObject({ selector: { 'everest.io/role': 'primary' } });
    expect(replicaService(resolved()).spec).toMatchObject({ selector: { 'everest.io/role': 'replica' } });
  });

  it('name members that are not Ready too, because they need each other to become Ready', () => {
    expect(membersService(resolved()).spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
  });

  it('keep reads in their zone only where that is asked for', () => {
    expect(replicaService(resolved({ preferSameZoneReads: true, kubernetesVersion: '1.31' })).spec).toMatchObject({ trafficDistribution: 'PreferClose' });
    expect(replicaService(resolved()).spec).not.toHaveProperty('trafficDistribution');
    expect(primaryService(resolved({ preferSameZoneReads: true, kubernetesVersion: '1.31' })).spec).not.toHaveProperty('trafficDistribution');
  });

  it('carry the user\'s annotations, but not the one of the members, which no client uses', () => {
    const cluster = resolved({ serviceAnnotations: { 'example.com/dns': 'x' } });
    expect(primaryService(cluster).metadata.annotations).toEqual({ 'example.com/dns': 'x' });
    expect(membersService(cluster).metadata.annotations).toBeUndefined();
  });
});
