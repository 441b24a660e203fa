import { renderContract } from '../../../src/render/contract';
import { resolved } from '../../support/cluster';

function document(props = {}) {
  return JSON.parse(renderContract(resolved(props)));
}

describe('renderContract', () => {
  it('lists every member with its Pod and volumes, because whoever works on the cluster must not guess names', () => {
    expect(document({ instances: 1, memberGroups: [{ name: 'spot', instances: 1, promotable: false }], storage: { size: '1Gi', walSize: '1Gi' } }).members).toEqual([
      { name: 'orders-1', pod: 'orders-1-0', group: 'default', promotable: true, volumes: ['orders-1-data', 'orders-1-wal'] },
      { name: 'orders-spot-1', pod: 'orders-spot-1-0', group: 'spot', promotable: false, volumes: ['orders-spot-1-data', 'orders-spot-1-wal'] },
    ]);
  });

  it('says which version it is and what runs', () => {
    expect(document({ version: '14' })).toMatchObject({ contractVersion: 1, engine: 'postgresql', engineVersion: '14.5', cluster: 'orders', namespace: 'shop' });
  });
});
