import { App, Chart, JsonPatch } from 'cdk8s';
import { NetworkPeer, PostgresCluster } from '../../src';
import { aCluster, everestErrorOf, manifestsOf, ofKind, pick, someProps, synth, testApp, testChart } from '../support/cluster';

function clientPeers(cluster: PostgresCluster): unknown {
  return pick(manifestsOf(cluster), 'NetworkPolicy', 'orders-clients').spec.ingress[0].from;
}

describe('PostgresCluster', () => {
  it('takes its name from the construct id, and from clusterName before that', () => {
    expect(aCluster().clusterName).toBe('orders');
    expect(aCluster({ clusterName: 'billing' }).clusterName).toBe('billing');
  });

  it('takes its namespace from the prop, then the chart, then default, and writes it everywhere, because rights name it', () => {
    const inChart = new PostgresCluster(testChart({ namespace: 'shop' }), 'orders', someProps());
    expect(inChart.namespace).toBe('shop');
    expect(new Set(manifestsOf(inChart).map(({ metadata }) => metadata.namespace))).toEqual(new Set(['shop']));
    expect(aCluster({ namespace: 'prod' }).namespace).toBe('prod');
    expect(aCluster().namespace).toBe('default');
  });

  it('tells where to connect, because applications need it', () => {
    expect(aCluster({ namespace: 'shop' })).toMatchObject({
      primaryHost: 'orders-rw.shop.svc', replicaHost: 'orders-ro.shop.svc', port: 5432,
    });
  });

  it('makes a StatefulSet and a volume for each member', () => {
    const manifests = synth({ instances: 2, memberGroups: [{ name: 'spot', instances: 1 }], storage: { size: '1Gi', walSize: '1Gi' } });
    expect(ofKind(manifests, 'StatefulSet').map(({ metadata }) => metadata.name)).toEqual(['orders-1', 'orders-2', 'orders-spot-1']);
    expect(ofKind(manifests, 'PersistentVolumeClaim')).toHaveLength(6);
  });

  it('reports everything that is wrong at once, because people correct in one go', () => {
    const error = everestErrorOf(() => aCluster({ instances: 0, storage: { size: '1' }, clusterName: 'UP' }));
    expect(error.codes).toEqual(['EV1101', 'EV1201', 'EV1208']);
    expect(error.subject).toBe('chart/orders');
  });

  it('makes no object at all where something is wrong, so that nothing half-made is written', () => {
    const chart = testChart();
    everestErrorOf(() => new PostgresCluster(chart, 'orders', someProps({ instances: 0 })));
    expect(chart.toJson()).toEqual([]);
  });

  it('is refused under the name of another cluster of the app, because the second apply would overwrite the first', () => {
    const app = testApp();
    new PostgresCluster(new Chart(app, 'one'), 'orders', someProps());
    expect(everestErrorOf(() => new PostgresCluster(new Chart(app, 'two'), 'orders', someProps())).codes).toEqual(['EV1103']);
    expect(() => new PostgresCluster(new Chart(app, 'three', { namespace: 'other' }), 'orders', someProps())).not.toThrow();
    expect(() => new PostgresCluster(new Chart(new App({ outdir: 'never-written' }), 'one'), 'orders', someProps())).not.toThrow();
  });
});

describe('PostgresCluster.apiObject', () => {
  it('finds an object to patch, because a field without a prop must not be out of reach', () => {
    const cluster = aCluster();
    cluster.apiObject('StatefulSet', 'orders-1').addJsonPatch(JsonPatch.add('/spec/template/spec/priorityClassName', 'high'));
    expect(pick(manifestsOf(cluster), 'StatefulSet', 'orders-1').spec.template.spec.priorityClassName).toBe('high');
  });

  it('lists what there is when nothing is found, because names are easily guessed wrong', () => {
    const error = everestErrorOf(() => aCluster().apiObject('Deployment', 'orders'));
    expect(error.codes).toEqual(['EV1004']);
    expect(error.message).toContain('StatefulSet/orders-1');
  });

  it('hands out a copy of the list, so that nobody takes an object away', () => {
    const cluster = aCluster();
    cluster.objects.pop();
    expect(cluster.objects.at(-1)!.name).toBe('orders-3');
  });
});

describe('PostgresCluster.connectionSecret', () => {
  it('names the Secret of the first owner, or of the one that is asked for', () => {
    const cluster = aCluster({ databases: [{ name: 'shop' }, { name: 'reports', owner: 'data_team' }] });
    expect(cluster.connectionSecret().name).toBe('orders-shop');
    expect(cluster.connectionSecret('data_team').name).toBe('orders-data-team');
  });

  it('can be asked twice, because two workloads of a chart may need it', () => {
    const cluster = aCluster();
    expect(cluster.connectionSecret()).toBe(cluster.connectionSecret('app'));
  });

  it('is refused for an owner that does not exist, because the Pod would wait for ever', () => {
    expect(everestErrorOf(() => aCluster().connectionSecret('nobody')).message).toContain('those that do are app');
    expect(everestErrorOf(() => aCluster({ databases: [] }).connectionSecret()).message).toContain('there is no database');
  });
});

describe('PostgresCluster.allowFrom', () => {
  it('lets in by default only Pods that say so by a label, because "all" would be too many and "none" would be no use', () => {
    expect(clientPeers(aCluster())).toEqual([{ podSelector: { matchLabels: { 'access.everest.io/orders': 'true' } } }]);
  });

  it('adds to the props and replaces the default', () => {
    const cluster = aCluster({ network: { allowFrom: [NetworkPeer.cidr('10.0.0.0/8')] } });
    cluster.allowFrom(NetworkPeer.ownNamespace());
    expect(clientPeers(cluster)).toEqual([{ ipBlock: { cidr: '10.0.0.0/8' } }, { podSelector: {} }]);
  });

  it('never changes the list that the props hold, because it may serve another cluster too', () => {
    const allowFrom = [NetworkPeer.ownNamespace()];
    aCluster({ network: { allowFrom } }).allowFrom(NetworkPeer.cidr('10.0.0.0/8'));
    expect(allowFrom).toHaveLength(1);
  });

  it.each([
    ['a range without a mask', NetworkPeer.cidr('10.0.0.1'), 'EV1505'],
    ['no label, which would mean every Pod', NetworkPeer.podsWithLabels({}), 'EV1505'],
    ['nothing', null as never, 'EV1002'],
    ['a plain object', { podSelector: {} } as never, 'EV1002'],
  ])('refuses %s', (_, peer, code) => {
    expect(everestErrorOf(() => aCluster().allowFrom(peer)).codes).toEqual([code]);
  });
});
