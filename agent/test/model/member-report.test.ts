import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReport } from '../../src/model/member-report.js';

const PRIMARY = {
  state: 'running', role: 'primary', timeline: 14, xlog: { location: 52_029_448 },
  replication: [
    { usename: 'standby', application_name: 'orders-2-0', state: 'streaming', sync_state: 'quorum' },
    { usename: 'standby', application_name: 'orders-3-0', state: 'catchup', sync_state: 'async' },
    { usename: 'standby', application_name: 'pg_basebackup', state: 'backup', sync_state: 'async' },
    null,
  ],
};

test('a primary streams to those that have caught up, as it says itself, and to nobody where it says nothing', () => {
  assert.deepEqual(parseReport('orders-1-0', JSON.stringify(PRIMARY), 0)?.streamsTo, ['orders-2-0']);
  assert.deepEqual(parseReport('orders-1-0', JSON.stringify({ ...PRIMARY, replication: undefined }), 0)?.streamsTo, []);
});
