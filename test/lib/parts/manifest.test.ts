import { metadata, optional } from '../../../src/parts/manifest';
import { resolved } from '../../support/cluster';

describe('metadata', () => {
  it('lets the library\'s labels win, because selectors depend on them', () => {
    const cluster = { ...resolved(), labels: { 'everest.io/cluster': 'other', 'team': 'a' } };
    expect(metadata(cluster, 'x').labels).toMatchObject({ 'everest.io/cluster': 'orders', 'team': 'a' });
  });

  it('lets the annotations that keep data win over the user\'s', () => {
    const cluster = resolved({ annotations: { 'helm.sh/resource-policy': 'delete' } });
    expect(metadata(cluster, 'x', { annotations: { 'helm.sh/resource-policy': 'keep' } }).annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
  });

  it('leaves empty maps out, because GitOps tools show them as a drift', () => {
    expect(metadata(resolved(), 'x')).not.toHaveProperty('annotations');
    expect(metadata(resolved(), 'x')).not.toHaveProperty('finalizers');
  });
});

describe('optional', () => {
  it.each([undefined, [], {}])('leaves %j out', (value) => {
    expect(optional('field', value)).toEqual({});
  });

  it.each([false, 0, '', [0], { a: 1 }, 'x'])('keeps %j, because it says something', (value) => {
    expect(optional('field', value)).toEqual({ field: value });
  });
});
