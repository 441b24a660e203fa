import { GIB } from '../../../src/quantity';
import { resolveGroups, resolveResources, smallestMember } from '../../../src/resolve/groups';
import { someProps } from '../../support/cluster';

describe('resolveResources', () => {
  it('takes the request as memory limit, so that the kernel never takes memory back', () => {
    expect(resolveResources({ requests: { cpu: '4', memory: '16Gi' } })).toEqual({
      requests: { cpu: '4', memory: '16Gi' }, limits: { memory: '16Gi' },
    });
  });

  it('takes the limit as request where only it is given, since that is what Kubernetes does', () => {
    expect(resolveResources({ limits: { cpu: '2', memory: '4Gi' } })).toEqual({
      requests: { cpu: '2', memory: '4Gi' }, limits: { cpu: '2', memory: '4Gi' },
    });
  });

  it('has no CPU limit of its own, because throttling delays failover', () => {
    expect(resolveResources()).toEqual({ requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '1Gi' } });
  });
});

describe('resolveGroups', () => {
  const groups = resolveGroups('orders', someProps({
    instances: 2, resources: { requests: { memory: '4Gi' } },
    memberGroups: [{ name: 'spot', instances: 1, resources: { requests: { memory: '2Gi' } } }, { name: 'far', instances: 1, promotable: false }],
  }));

  it('names the members of the default group without its name, because most clusters have one group', () => {
    expect(groups.map((group) => group.members)).toEqual([['orders-1', 'orders-2'], ['orders-spot-1'], ['orders-far-1']]);
  });

  it('gives a group what the cluster has, unless it says something else', () => {
    expect(groups.map((group) => group.resources.limits.memory)).toEqual(['4Gi', '2Gi', '4Gi']);
    expect(groups.map((group) => group.promotable)).toEqual([true, true, false]);
    expect(groups[1]!.storage).toEqual({ size: '10Gi' });
  });

  it('finds the smallest member, because settings are the same on all of them', () => {
    expect(smallestMember(groups)).toEqual({ memoryBytes: 2 * GIB, cpus: 0.5, walBytes: 10 * GIB });
  });

  it('makes no member of a senseless count, because a rule refuses it right after', () => {
    expect(resolveGroups('orders', someProps({ instances: 1e9 }))[0]!.members).toEqual([]);
  });
});
