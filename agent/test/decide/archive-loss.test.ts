import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ARCHIVE_LOST, explainLoss, isMadeGood, lostStatus, standingLoss, withLoss } from '../../src/decide/archive-loss.js';
import type { ArchiveStatus, BackupRecord, RepositoryStatus } from '../../src/model/backup-status.js';
import { lossesIn } from '../../src/model/repository-notes.js';

const AT = '2026-02-01T00:00:00Z';
const LOSS = { repository: 1, storage: 's3://b/shop/orders', at: AT };
const DECLARED = { repositories: [{ key: 1, storage: LOSS.storage }] };
const record = (label: string, day: string, change: Partial<BackupRecord> = {}): BackupRecord => ({
  label, type: 'full', good: true, startedAt: `${day}T00:00:00.000Z`, endedAt: `${day}T00:01:00.000Z`, buildsOn: [], ...change,
});
const holding = (...backups: BackupRecord[]): RepositoryStatus => ({ checkedAt: AT, backups });
const OLD = holding(record('B', '2026-01-20'), record('A', '2026-01-10'));

for (const [what, repository, good] of [
  ['nothing', holding(), false],
  ['what was there before the loss', OLD, false],
  ['an incremental backup', holding(record('C', '2026-02-02', { type: 'incremental' })), false],
  ['a damaged full backup', holding(record('C', '2026-02-02', { good: false })), false],
  ['a good full backup that was begun afterwards', holding(record('C', '2026-02-02')), true],
] as const) {
  test(`a lost repository ${good ? 'is' : 'is not'} made good by ${what}`, () => {
    assert.equal(isMadeGood(LOSS, repository), good);
  });
}

test('a loss stands until it is made good, and only for the storage that is declared', () => {
  const backup = (repository: RepositoryStatus) => (
    { statusVersion: 1, updatedAt: AT, schedules: {}, repositories: { 1: repository } }
  );
  assert.deepEqual(standingLoss([LOSS], DECLARED, undefined), LOSS);
  assert.deepEqual(standingLoss([LOSS], DECLARED, backup(OLD)), LOSS);
  assert.equal(standingLoss([LOSS], DECLARED, backup(holding(record('C', '2026-02-02')))), undefined);
  assert.equal(standingLoss([LOSS], { repositories: [{ key: 1, storage: 's3://b/other' }] }, undefined), undefined);
});

test('what is gone is named, and still when the list is empty already', () => {
  const lost = lostStatus(LOSS, undefined, OLD);
  assert.deepEqual([lost.backups, lost.newestBackup], [2, 'B']);
  assert.deepEqual(lostStatus(LOSS, lost, holding()), lost);
  assert.match(explainLoss(lost).problem, /found empty at 2026-02-01T00:00:00Z: the 2 backups that the status listed \(the newest: B\)/);
});

test('what fails now is told before what was lost, and the loss stays in the status', () => {
  const status: ArchiveStatus = { state: 'archiving', since: AT, checkedAt: AT };
  const lost = lostStatus(LOSS, undefined, OLD);
  assert.equal(withLoss(status, lost).failure!.kind, ARCHIVE_LOST);
  const failure = { kind: 'unreachable', problem: '', fix: '', detail: '' };
  assert.deepEqual(withLoss({ ...status, failure }, lost), { ...status, failure, lost });
  assert.equal(withLoss(status, undefined), status);
});

test('members note losses on Patroni\'s configuration; what is no note is none', () => {
  const object = (notes: string) => ({ metadata: { name: 'orders-config', annotations: { 'everest.io/repositories': notes } } });
  assert.deepEqual(lossesIn(object(JSON.stringify({ 1: { storage: LOSS.storage, begunAt: AT, lostAt: AT }, 2: { storage: 's', begunAt: AT } }))), [LOSS]);
  for (const notes of ['', '[]', '{"1": 5}', '{']) assert.deepEqual(lossesIn(object(notes)), []);
  assert.deepEqual(lossesIn(undefined), []);
});
