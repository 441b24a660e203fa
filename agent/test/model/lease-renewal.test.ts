import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRenewal } from '../../src/model/objects.js';
import type { KubeObject } from '../../src/ports/kube.js';

const LEASE = { leader: 'orders-1-0', acquireTime: '12:00', renewTime: '12:10', failsafe: '{}', optime: '7' };

function lease(annotations: Record<string, string>, uid = 'u-1'): KubeObject {
  return { metadata: { name: 'orders-leader', uid, annotations } };
}

test('a holder that renews its lease and moves on is no news', () => {
  assert.equal(isRenewal(lease(LEASE), lease({ ...LEASE, renewTime: '12:20', optime: '9' })), true);
});

test('all else is looked at: another holder, a lease taken anew, other addresses, a fence, another object', () => {
  const { leader, ...free } = LEASE;
  assert.equal(leader, 'orders-1-0');
  for (const after of [
    lease({ ...LEASE, leader: 'orders-2-0' }), lease({ ...LEASE, acquireTime: '12:20' }), lease({ ...LEASE, failsafe: '{"a":"b"}' }),
    lease(free), lease(LEASE, 'u-2'),
  ]) assert.equal(isRenewal(lease(LEASE), after), false, JSON.stringify(after));
  assert.equal(isRenewal(lease(free), lease(free)), false);
  assert.equal(isRenewal(undefined, lease(LEASE)), false);
});

test('the sync key names a leader too, and each change of it is looked at', () => {
  const sync = (standby: string) => lease({ leader: 'orders-1-0', sync_standby: standby });
  assert.equal(isRenewal(sync('orders-2-0'), sync('orders-3-0')), false);
});
