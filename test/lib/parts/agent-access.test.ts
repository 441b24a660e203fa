import { Chart, Testing } from 'cdk8s';
import { EverestAgent, PostgresCluster } from '../../../src';

interface Rule {
  readonly resources: string[];
  readonly resourceNames: string[];
}

function rights(instances: number): (resource: string) => string[] {
  const chart = new Chart(Testing.app(), 'chart', { namespace: 'shop' });
  new PostgresCluster(chart, 'orders', { storage: { size: '1Gi' }, instances, agent: new EverestAgent(chart, 'agent') });
  const role = (chart.toJson() as any[]).find(({ kind, metadata }) => kind === 'Role' && metadata.name === 'orders-agent');
  return (resource) => (role.rules as Rule[]).find(({ resources }) => resources.includes(resource))!.resourceNames;
}

test.each(['statefulsets', 'pods'])('a member that left the manifests can still be handed over and stopped: %s', (resource) => {
  expect(rights(3)(resource)).toEqual(rights(5)(resource));
});

test('only members that the manifests list are evicted', () => {
  expect(rights(3)('pods/eviction')).toEqual(['orders-1-0', 'orders-2-0', 'orders-3-0']);
});
