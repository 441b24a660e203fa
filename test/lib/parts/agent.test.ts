import { App, Chart } from 'cdk8s';
import { EverestAgent, type EverestAgentProps } from '../../../src';

function objects(props: EverestAgentProps) {
  const chart = new Chart(new App(), 'shop', { namespace: 'shop' });
  return new EverestAgent(chart, 'agent', props).objects.map((object) => object.toJson() as Record<string, any>);
}

const clusterWide = (props: EverestAgentProps) => objects(props).filter(({ kind }) => kind.startsWith('Cluster'));

test('the agent has no right outside of its namespace unless somebody asks for it', () => expect(clusterWide({})).toEqual([]));

test('an agent that watches nodes may read them and nothing else, under a name that no other agent has', () => {
  const [role, binding] = clusterWide({ watchNodes: true });
  expect(role!.rules).toEqual([{ apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch'] }]);
  expect(binding!.metadata).toMatchObject({ name: 'shop-everest-agent-nodes' });
  expect(binding!.subjects).toEqual([{ kind: 'ServiceAccount', name: 'everest-agent', namespace: 'shop' }]);
});
