import { memberStatefulSet } from '../../../src/parts/member-stateful-set';
import { resolved, type TestManifest } from '../../support/cluster';

function member(props = {}): TestManifest {
  const cluster = resolved(props);
  return memberStatefulSet(cluster, cluster.groups[0]!, 'orders-2') as unknown as TestManifest;
}

describe('memberStatefulSet', () => {
  it('is one Pod whose template changes only when somebody deletes it, so that no controller restarts a primary', () => {
    expect(member().spec).toMatchObject({ replicas: 1, updateStrategy: { type: 'OnDelete' }, podManagementPolicy: 'Parallel' });
  });

  it('has no claim templates, because volumes are objects of their own that can grow', () => {
    expect(member().spec).not.toHaveProperty('volumeClaimTemplates');
  });

  it('selects by labels that never change, because a selector cannot', () => {
    expect(member({ labels: { team: 'a' } }).spec.selector.matchLabels).toEqual({
      'everest.io/cluster': 'orders', 'everest.io/component': 'member', 'everest.io/member': 'orders-2',
    });
  });

  it('carries the user\'s labels on the Pod too', () => {
    expect(member({ labels: { team: 'a' } }).spec.template.metadata.labels).toMatchObject({ team: 'a', 'everest.io/group': 'default' });
  });

  it('leaves the permissions of the data alone when they are right, because PostgreSQL refuses a group-writable folder', () => {
    expect(member().spec.template.spec.securityContext).toMatchObject({ fsGroupChangePolicy: 'OnRootMismatch', fsGroup: 10026 });
  });

  it('pulls with the Secrets that are named', () => {
    expect(member({ imagePullSecrets: ['a', 'b'] }).spec.template.spec.imagePullSecrets).toEqual([{ name: 'a' }, { name: 'b' }]);
    expect(member().spec.template.spec).not.toHaveProperty('imagePullSecrets');
  });
});
