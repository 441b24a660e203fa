import { PodDisruption } from '../../../src';
import { disruptionBudget } from '../../../src/parts/disruption';
import { resolved } from '../../support/cluster';

describe('disruptionBudget', () => {
  it('counts the members of all groups, because any of them may be the last with the data', () => {
    const cluster = resolved({ memberGroups: [{ name: 'spot', instances: 2 }] });
    expect(disruptionBudget(cluster)[0]!.spec).toMatchObject({
      maxUnavailable: 1, selector: { matchLabels: { 'everest.io/cluster': 'orders', 'everest.io/component': 'member' } },
    });
  });

  it('never holds a node for a member that is broken anyway', () => {
    expect(disruptionBudget(resolved())[0]!.spec).toMatchObject({ unhealthyPodEvictionPolicy: 'AlwaysAllow' });
  });

  it('is not there for a single member, because it would only block drains', () => {
    expect(disruptionBudget(resolved({ instances: 1 }))).toEqual([]);
  });

  it('is not there where nobody wants it', () => {
    expect(disruptionBudget(resolved({ podDisruption: PodDisruption.unprotected() }))).toEqual([]);
  });
});
