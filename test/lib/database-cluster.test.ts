import { DatabaseCluster } from '../../src';
import { everestErrorOf, manifestsOf, synth, testChart } from '../support/cluster';

function document(name: string, more = ''): string {
  return `apiVersion: everest.io/v1alpha1\nkind: DatabaseCluster\nmetadata: { name: ${name} }\nspec:\n  engine: postgresql\n  storage: { size: 10Gi }\n${more}`;
}

describe('DatabaseCluster.fromYaml', () => {
  it('makes the very same objects as the typed props, because both are one product', () => {
    const [cluster] = DatabaseCluster.fromYaml(testChart(), 'db', document('orders', '  instances: 5\n')).clusters;
    expect(manifestsOf(cluster!)).toEqual(synth({ instances: 5 }));
  });

  it('makes a cluster for each document, in their order', () => {
    const { clusters } = DatabaseCluster.fromYaml(testChart(), 'db', `${document('b')}---\n${document('a')}`);
    expect(clusters.map(({ clusterName }) => clusterName)).toEqual(['b', 'a']);
  });

  it('puts them into the chart\'s namespace where the document names none', () => {
    const chart = testChart({ namespace: 'shop' });
    expect(DatabaseCluster.fromYaml(chart, 'db', document('orders')).clusters[0]!.namespace).toBe('shop');
  });

  it('names the file that the text is from', () => {
    const error = everestErrorOf(() => DatabaseCluster.fromYaml(testChart(), 'db', document('orders', '  x: 1\n'), { fileName: 'a/b.yaml' }));
    expect(error.message).toContain('a/b.yaml:7:3');
  });

  it('refuses two documents of one name, because the second would overwrite the first', () => {
    const error = everestErrorOf(() => DatabaseCluster.fromYaml(testChart(), 'db', `${document('a')}---\n${document('a')}`));
    expect(error.codes).toEqual(['EV1103']);
  });
});
