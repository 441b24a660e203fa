import { everestErrorOf, testApp, testChart } from '../support/cluster';
import { Chart } from 'cdk8s';
import { claimObjects } from '../../src/object-registry';

describe('claimObjects', () => {
  it('names who has the object already, because it may stand in another file', () => {
    const app = testApp();
    claimObjects(new Chart(app, 'first'), 'shop', ['Service/x', 'Role/x']);
    const error = everestErrorOf(() => claimObjects(new Chart(app, 'second'), 'shop', ['Role/x', 'Service/x', 'Secret/y']));
    expect(error.codes).toEqual(['EV1103']);
    expect(error.message).toContain('Role/x and 1 more in the namespace shop already belong to first');
  });

  it('takes nothing where it refuses, so that a corrected second try succeeds', () => {
    const app = testApp();
    const second = new Chart(app, 'second');
    claimObjects(new Chart(app, 'first'), 'shop', ['Service/x']);
    everestErrorOf(() => claimObjects(second, 'shop', ['Service/x', 'Secret/y']));
    expect(() => claimObjects(second, 'shop', ['Secret/y'])).not.toThrow();
  });

  it('tells namespaces and apps apart', () => {
    const chart = testChart();
    claimObjects(chart, 'shop', ['Service/x']);
    expect(() => claimObjects(chart, 'other', ['Service/x'])).not.toThrow();
    expect(() => claimObjects(testChart(), 'shop', ['Service/x'])).not.toThrow();
  });
});
