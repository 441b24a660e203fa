import { clientNetworkPolicy, memberNetworkPolicy, type NetworkPeers } from '../../../src/parts/network-policies';
import { resolved, type TestManifest } from '../../support/cluster';

const NOBODY: NetworkPeers = { clients: [], apiServer: [], dns: [] };

function members(peers = NOBODY): TestManifest {
  return memberNetworkPolicy(resolved(), peers) as unknown as TestManifest;
}

describe('network policies', () => {
  it('deny the members everything both ways that is not named, because databases are what intruders look for', () => {
    expect(members().spec.policyTypes).toEqual(['Ingress', 'Egress']);
  });

  it('let members reach each other, DNS and the API server, and nothing else', () => {
    const ports = members().spec.egress.map((rule: { ports: Array<{ port: number }> }) => rule.ports.map(({ port }) => port));
    expect(ports).toEqual([[5432, 8008], [53, 53], [443, 6443]]);
  });

  it('leave the API server\'s address open unless it is named, because nobody knows it at synthesis', () => {
    expect(members().spec.egress[2]).not.toHaveProperty('to');
    expect(members({ ...NOBODY, apiServer: [{ ipBlock: { cidr: '10.0.0.1/32' } }] }).spec.egress[2].to).toEqual([{ ipBlock: { cidr: '10.0.0.1/32' } }]);
  });

  it('let clients reach PostgreSQL but not Patroni, because its API can restart members', () => {
    const policy = clientNetworkPolicy(resolved(), { ...NOBODY, clients: [{ podSelector: {} }] }) as unknown as TestManifest;
    expect(policy.spec.ingress).toEqual([{ from: [{ podSelector: {} }], ports: [{ port: 5432, protocol: 'TCP' }] }]);
  });
});
