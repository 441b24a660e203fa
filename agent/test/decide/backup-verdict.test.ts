import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainFailure, FAILURE_ROWS } from '../../src/decide/backup-failure.js';
import { chooseMember } from '../../src/decide/backup-member.js';
import { backupOfAnother, judgeBackup, obstacle, type BackupRun } from '../../src/decide/backup-verdict.js';
import { backup, repository } from '../support/backups.js';

const OLD = backup('OLD');
const NEW = backup('NEW', { stoppedAt: 2000 });

const run = (change: Partial<BackupRun> = {}): BackupRun => ({
  wanted: 'full', exitCode: 0, output: '', label: 'NEW', before: repository([OLD]), after: repository([OLD, NEW]), ...change,
});
const INCREMENTAL = backup('NEW', { type: 'incremental' });

interface Example {
  readonly what: string;
  readonly run: Partial<BackupRun>;
  /** True, or the kind of failure. */
  readonly expected: true | string;
}

const EXAMPLES: readonly Example[] = [
  { what: 'is good when the repository shows it', run: {}, expected: true },
  { what: 'is good when the connection was lost and the repository shows it', run: { exitCode: undefined, label: undefined }, expected: true },
  { what: 'is good when it had to be a full one, the first', run: { wanted: 'incremental', before: repository([]) }, expected: true },
  { what: 'is not good on pgBackRest\'s word alone', run: { after: repository([OLD]) }, expected: 'not-in-repository' },
  { what: 'is not good when another one is there than it said', run: { label: 'OTHER' }, expected: 'not-in-repository' },
  { what: 'is not good when the repository cannot be read afterwards', run: { after: 'unknown' }, expected: 'unverified' },
  { what: 'is not good with damaged pages, although pgBackRest exits 0', run: { after: repository([OLD, { ...NEW, damaged: true }]) }, expected: 'damaged-pages' },
  { what: 'is not good when a full one was wanted and it is not', run: { after: repository([OLD, INCREMENTAL]) }, expected: 'wrong-type' },
  { what: 'is not good when what follows it failed', run: { exitCode: 49 }, expected: 'unreachable' },
  { what: 'ends with the primary', run: { exitCode: undefined, label: undefined, after: repository([OLD]), movedTo: 'orders-2-0' }, expected: 'primary-changed' },
  { what: 'fails with pgBackRest\'s reason', run: { exitCode: 50, label: undefined, after: repository([OLD]) }, expected: 'lock-held' },
  { what: 'fails with pgBackRest\'s reason also when the repository is away', run: { exitCode: 49, label: undefined, after: 'unknown' }, expected: 'unreachable' },
  { what: 'is not good when the connection was lost and nothing new is there', run: { exitCode: undefined, label: undefined, after: repository([OLD]) }, expected: 'other' },
];

for (const { what, run: change, expected } of EXAMPLES) {
  test(`a backup ${what}`, () => {
    const verdict = judgeBackup(run(change));
    assert.equal(verdict.done ? true : verdict.failure.kind, expected);
  });
}

test('a backup that is complete is named even when it counts as failed', () => {
  const verdict = judgeBackup(run({ exitCode: 49 }));
  assert.equal(verdict.backup?.label, 'NEW');
  assert.match(verdict.done ? '' : verdict.failure.problem, /NEW is complete/);
});

/* What pgBackRest 2.55.1 printed, shortened; S3's answers as they are documented. */
const S3 = (status: string, code: string, message: string) => `P00  ERROR: [039]: unable to load info file '/x/backup.info':
       ProtocolError: HTTP request failed with ${status}:
       *** Request Headers ***: authorization: <redacted>
       <?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>
       HINT: has a stanza-create been performed?`;

const FAILURES: ReadonlyArray<readonly [string, number | undefined, string]> = [
  ['wrong-credentials', 39, S3('403 (Forbidden)', 'SignatureDoesNotMatch', 'The request signature we calculated does not match')],
  ['wrong-credentials', 39, S3('403 (Forbidden)', 'InvalidAccessKeyId', 'The key does not exist')],
  ['missing-bucket', 39, S3('404 (Not Found)', 'NoSuchBucket', 'The specified bucket does not exist')],
  ['clock-skew', 39, S3('403 (Forbidden)', 'RequestTimeTooSkewed', 'The difference is too large')],
  ['unreachable', 49, "ERROR: [049]: unable to connect to 's3.test:443': [111] Connection refused"],
  ['unreachable', 103, "103\nunable to find a valid repository:\nrepo1: [HostConnectError] unable to get address for 's3.test': [-2] Name or service not known"],
  ['certificate', 95, "ERROR: [095]: unable to verify certificate presented by 's3.test:443': [20] unable to get local issuer certificate"],
  ['wrong-cipher-pass', 29, 'ERROR: [029]: unable to load info file:\n FormatError: key/value found outside of section at line 1: S\u0001\u0002n\nHINT: has a stanza-create been performed?'],
  ['disk-full', 40, "ERROR: [040]: unable to write '/pgdata/x': [28] No space left on device"],
  ['lock-held', 50, "ERROR: [050]: unable to acquire lock on file '/tmp/lock/db-backup-1.lock': Resource temporarily unavailable"],
  ['stanza-missing', 55, 'ERROR: [055]: unable to load info file\n HINT: has a stanza-create been performed?'],
  ['stanza-mismatch', 28, 'ERROR: [028]: backup and archive info files exist but do not match the database\n HINT: is this the correct stanza?'],
  ['archive-timeout', 82, 'ERROR: [082]: WAL segment 000000010000000000000002 was not archived before the 60000ms timeout'],
  ['archiving-off', 87, 'ERROR: [087]: archive_mode must be enabled'],
  ['database-unreachable', 56, 'ERROR: [056]: unable to find primary cluster - cannot proceed'],
  ['stopped', 62, 'ERROR: [062]: stop file exists for stanza db'],
  ['interrupted', 63, ''],
  ['interrupted', undefined, 'P00   INFO: backup command begin\nthis process was asked to stop'],
  ['interrupted', 137, ''],
  ['configuration', 31, "ERROR: [031]: invalid option '--x'"],
  ['other', 25, 'ERROR: [025]: assert'],
];

for (const [kind, code, text] of FAILURES) {
  test(`${kind} is told from ${code} ${text.slice(0, 60)}`, () => assert.equal(explainFailure(code, text).kind, kind));
}

test('each kind of failure has an example, because a row that never matches explains nothing', () => {
  const seen = new Set(FAILURES.map(([kind]) => kind));
  assert.deepEqual(FAILURE_ROWS.map(({ kind }) => kind).filter((kind) => !seen.has(kind)), []);
});

test('the detail has the storage\'s own word and no bytes that a terminal would choke on', () => {
  const valid = explainFailure(103, 'unable to find a valid repository:\nrepo1: [FileMissingError] unable to open').detail;
  assert.match(valid, /repo1: \[FileMissingError\]/);
  const [wrongKey, , , , , , , wrongPass] = FAILURES.map(([, code, text]) => explainFailure(code, text).detail);
  assert.match(wrongKey!, /^\[039\]: unable to load.* SignatureDoesNotMatch: The request signature/);
  assert.match(wrongPass!, /^[\x20-\x7e]*$/);
});

test('before a backup the repository has to answer', () => {
  const reading = (code: number, message: string) => obstacle(repository([], { code, message }), '')?.kind;
  assert.equal(obstacle(repository([OLD]), ''), undefined);
  assert.equal(reading(2, 'no valid backups'), undefined);
  assert.equal(reading(1, 'missing stanza path'), 'stanza-missing');
  assert.equal(reading(3, 'missing stanza data'), 'stanza-missing');
  assert.equal(reading(5, 'mismatch'), 'stanza-mismatch');
  assert.equal(reading(99, "[HostConnectError] unable to connect to 's3.test:443'"), 'unreachable');
  assert.equal(obstacle(repository([OLD], { busy: true }), '')?.kind, 'lock-held');
  assert.equal(obstacle('unknown', 'get pods: 0')?.kind, 'other');
});

const OF_ANOTHER: ReadonlyArray<readonly [string, 'full' | 'incremental', Parameters<typeof backup>[1], boolean]> = [
  ['of the type that is wanted counts', 'incremental', { type: 'incremental' }, true],
  ['that is full counts for every type', 'incremental', { type: 'full' }, true],
  ['that is incremental does not count where a full one is wanted', 'full', { type: 'incremental' }, false],
  ['with damaged pages does not count', 'full', { damaged: true }, false],
];

for (const [what, wanted, made, counts] of OF_ANOTHER) {
  test(`a backup that somebody else had begun and ${what}`, () => {
    const after = repository([OLD, backup('NEW', made)]);
    assert.equal(backupOfAnother(wanted, repository([OLD]), after)?.label, counts ? 'NEW' : undefined);
  });
}

test('of what somebody else had begun only that counts which has come since, not the newest of before', () => {
  assert.equal(backupOfAnother('full', repository([OLD]), repository([OLD])), undefined);
});

const RUNNING = { name: 'orders-1-0', uid: 'a', deleting: false, container: 'running' } as const;

test('a backup runs in the primary, and says so to whoever wanted a standby', () => {
  const choose = (wanted: 'standby' | 'primary') => chooseMember({ leader: { pod: 'orders-1-0' }, pod: RUNNING, wanted });
  assert.deepEqual(choose('primary'), { pod: 'orders-1-0', uid: 'a', note: undefined });
  const { pod, note } = choose('standby') as { pod: string; note: string };
  assert.equal(pod, 'orders-1-0');
  assert.match(note, /cannot reach the primary/);
});

for (const [what, pod, why] of [
  ['is about to stop', { ...RUNNING, deleting: true }, /about to be stopped/],
  ['does not run', { ...RUNNING, container: 'terminated' }, /does not run/],
  ['is gone', undefined, /does not exist/],
] as const) {
  test(`no backup begins in a primary that ${what}`, () => {
    const choice = chooseMember({ leader: { pod: 'orders-1-0' }, pod, wanted: 'primary' });
    assert.match(choice.pod === undefined ? choice.why : '', why);
  });
}

test('without a primary there is no backup', () => {
  assert.equal(chooseMember({ leader: { pod: undefined }, pod: undefined, wanted: 'primary' }).pod, undefined);
});
