import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { PostgresCluster } from '../../src';
import { manifestsOf, someProps, testApp, type TestManifest } from '../support/cluster';

/* Names are a contract: an object under another name is another object, and its volume an empty one. */

const PROPS = someProps({
  clusterName: 'orders', instances: 2, storage: { size: '1Gi', walSize: '1Gi' }, memberGroups: [{ name: 'spot', instances: 1 }],
  databases: [{ name: 'shop', owner: 'shop_owner' }],
});

function synthesizedBelow(...ids: string[]): TestManifest[] {
  const chart: Construct = new Chart(testApp(), ids[0]!, { namespace: 'shop' });
  const parent = ids.slice(1, -1).reduce((scope, id) => new Construct(scope, id), chart);
  return manifestsOf(new PostgresCluster(parent, ids.at(-1)!, PROPS));
}

describe('identity', () => {
  it('of all objects is the name of the cluster, because another name orphans volumes, Services and passwords', () => {
    const names = synthesizedBelow('chart', 'orders').map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(names).toEqual([
      'ServiceAccount/orders', 'Role/orders', 'RoleBinding/orders',
      'Secret/orders-credentials', 'Secret/orders-shop-owner',
      'ConfigMap/orders-postgres', 'ConfigMap/orders-contract',
      'NetworkPolicy/orders-members', 'NetworkPolicy/orders-clients',
      'Service/orders-rw', 'Service/orders-ro', 'Service/orders-members',
      'PodDisruptionBudget/orders',
      'PersistentVolumeClaim/orders-1-data', 'PersistentVolumeClaim/orders-1-wal',
      'PersistentVolumeClaim/orders-2-data', 'PersistentVolumeClaim/orders-2-wal',
      'PersistentVolumeClaim/orders-spot-1-data', 'PersistentVolumeClaim/orders-spot-1-wal',
      'StatefulSet/orders-1', 'StatefulSet/orders-2', 'StatefulSet/orders-spot-1',
    ]);
  });

  it.each([['another chart', ['Prod_Chart', 'orders']], ['another construct', ['chart', 'db']], ['a deeper place', ['chart', 'a', 'b', 'c', 'x.y']]])(
    'and everything in the objects stays the same in %s, because people rename and move constructs', (_, ids) => {
      expect(synthesizedBelow(...ids)).toEqual(synthesizedBelow('chart', 'orders'));
    });
});
