import * as names from '../../../src/contract/names';
import { clusterLabels } from '../../../src/contract/labels';

describe('names of objects', () => {
  it('never change, because another name orphans the volumes and Services of living clusters', () => {
    expect([
      names.memberName('orders', 'default', 1), names.memberName('orders', 'spot', 2), names.podName('orders-1'), names.volumeName('orders-1', 'data'),
      names.primaryServiceName('orders'), names.replicaServiceName('orders'), names.membersServiceName('orders'), names.configName('orders'),
      names.contractName('orders'), names.credentialsName('orders'), names.ownerSecretName('orders', 'data_team'),
    ]).toEqual([
      'orders-1', 'orders-spot-2', 'orders-1-0', 'orders-1-data', 'orders-rw', 'orders-ro', 'orders-members', 'orders-postgres',
      'orders-contract', 'orders-credentials', 'orders-data-team',
    ]);
  });

  it('leave Patroni the names that it chooses itself', () => {
    expect(names.patroniObjectNames('orders')).toEqual(['orders-config', 'orders-leader', 'orders-failover', 'orders-sync']);
  });
});

describe('labels of objects', () => {
  it('never change, because selectors are immutable', () => {
    expect(clusterLabels('orders', 'postgresql')).toEqual({
      'app.kubernetes.io/name': 'postgresql', 'app.kubernetes.io/instance': 'orders', 'app.kubernetes.io/managed-by': 'cdk8s-everest',
      'everest.io/cluster': 'orders',
    });
  });
});
