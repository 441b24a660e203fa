import { NetworkPeer } from '../../src';

describe('NetworkPeer', () => {
  it.each([
    [NetworkPeer.podsWithLabels({ app: 'shop' }), { podSelector: { matchLabels: { app: 'shop' } } }],
    [NetworkPeer.ownNamespace(), { podSelector: {} }],
    [NetworkPeer.cidr('10.0.0.0/8'), { ipBlock: { cidr: '10.0.0.0/8' } }],
    [NetworkPeer.podsInNamespace('web'), { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'web' } } }],
    // Both in one peer: Pods with the label AND in the namespace. As two peers it would mean "or".
    [NetworkPeer.podsInNamespace('web', { app: 'shop' }), {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'web' } }, podSelector: { matchLabels: { app: 'shop' } },
    }],
  ])('is %# as Kubernetes writes it', (peer, manifest) => {
    expect(peer._toManifest()).toEqual(manifest);
  });

  it('keeps a copy of the labels, because the caller may change its own', () => {
    const labels: Record<string, string> = { app: 'shop' };
    const peer = NetworkPeer.podsWithLabels(labels);
    labels.app = 'other';
    expect(peer._toManifest()).toEqual({ podSelector: { matchLabels: { app: 'shop' } } });
  });
});
