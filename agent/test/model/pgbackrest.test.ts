import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelIn, parseInfo, typeOption } from '../../src/model/pgbackrest.js';
import { WalScale } from '../../src/model/wal.js';
import { INFO, SCALE } from '../support/backups.js';

interface Stanza {
  readonly repo: Array<{ status: object }>;
  status: object;
  readonly backup: Array<{ error?: unknown; archive?: object }>;
}

const changed = (change: (stanza: Stanza) => void) => {
  const stanzas = JSON.parse(INFO) as Stanza[];
  change(stanzas[0]!);
  return parseInfo(JSON.stringify(stanzas));
};

test('reads backups, oldest first, with what they take and what they need', () => {
  const facts = parseInfo(INFO)!;
  assert.equal(facts.code, 0);
  assert.deepEqual(facts.archives, [{ id: '17-1', databaseId: 1, oldest: '000000010000000000000001', newest: '000000010000000000000007' }]);
  assert.deepEqual(facts.backups.map(({ type }) => type), ['full', 'incremental']);
  assert.deepEqual(facts.backups[1], {
    label: '20261123-230954F_20261123-230956I', type: 'incremental', damaged: false,
    startedAt: 1795475396, stoppedAt: 1795475397, databaseId: 1,
    walStart: '000000010000000000000003', walStop: '000000010000000000000004',
    sizeBytes: 23422017, storedBytes: 408, buildsOn: ['20261123-230954F'],
  });
});

test('a fault of the repository is told although the command ended well, because info exits 0 on errors', () => {
  const facts = changed((stanza) => {
    stanza.repo[0]!.status = { code: 99, message: '[PathOpenError] unable to list file info' };
    stanza.status = { code: 99, lock: { backup: { held: true } }, message: 'other' };
  })!;
  assert.deepEqual([facts.code, facts.message, facts.busy], [99, '[PathOpenError] unable to list file info', true]);
});

test('a message with bytes of an encrypted file is read all the same, because it says that the pass is wrong', () => {
  const text = INFO.replace('"code":0,"message":"ok"', '"code":99,"message":"[FormatError] at line 1: \u0001\n\u0002"');
  assert.equal(parseInfo(text)!.code, 99);
});

test('a backup counts as damaged unless pgBackRest plainly says that it is not', () => {
  for (const error of [true, null, undefined]) {
    const facts = changed((stanza) => { stanza.backup[0]!.error = error; })!;
    assert.deepEqual(facts.backups.map(({ damaged }) => damaged), [true, false]);
  }
});

test('a backup that cannot be read is left out, because half of one is a guess', () => {
  assert.equal(changed((stanza) => { delete stanza.backup[0]!.archive; })!.backups.length, 1);
});

for (const [what, text] of [['nothing', ''], ['no JSON', 'ERROR: [039]'], ['no stanza', '[]'], ['no status', '[{"name":"db"}]']] as const) {
  test(`${what} is unknown, not an empty repository`, () => assert.equal(parseInfo(text), undefined));
}

test('finds the label in what a backup prints', () => {
  assert.equal(labelIn('2026-11-23 23:09:55.998 P00   INFO: new backup label = 20261123-230954F'), '20261123-230954F');
  assert.equal(labelIn('P00   INFO: last backup label = 20261123-230954F'), undefined);
});

test('types have pgBackRest\'s names', () => assert.deepEqual((['full', 'differential', 'incremental'] as const).map(typeOption), ['full', 'diff', 'incr']));

test('segments count on over the border of a log', () => {
  assert.equal(SCALE.segmentOf('0000000100000001000000FF')!.number + 1, SCALE.segmentOf('000000010000000200000000')!.number);
  assert.equal(SCALE.nameOf(SCALE.segmentOf('0000000A00000001000000FF')!), '0000000A00000001000000FF');
});

test('segments are counted as the server cuts them, because names mean nothing without it', () => {
  const small = WalScale.parse(' 4194304\n')!;
  assert.equal(small.segmentOf('0000000100000001000003FF')!.number + 1, small.segmentOf('000000010000000200000000')!.number);
  assert.deepEqual(small.parseHistory('1\t0/5640320\tno recovery target specified\n'), [{ timeline: 1, number: 21, place: 0x5640320 }]);
  assert.deepEqual(['16MB', '0', '5000000', ''].map((text) => WalScale.parse(text)), [undefined, undefined, undefined, undefined]);
});

test('of the archive only whole segments count, because a part of one cannot be replayed', () => {
  const hash = 'bbf44ea2039dbaf78bb80d681b03907db4fc2302';
  assert.deepEqual(SCALE.inPath(`0000000100000000/000000010000000000000001-${hash}.zst`), { timeline: 1, number: 1 });
  for (const other of [`000000010000000000000001.partial-${hash}.zst`, '000000010000000000000002.00000028.backup', 'archive.info', '17-1']) {
    assert.equal(SCALE.inPath(other), undefined, other);
  }
});

test('reads where timelines ended', () => {
  assert.deepEqual(SCALE.parseHistory('1\t0/5640320\tno recovery target specified\n\n2\t1/2000000\tbefore 2026\n'), [
    { timeline: 1, number: 5, place: 0x5640320 }, { timeline: 2, number: 258, place: 0x102000000 },
  ]);
  assert.equal(SCALE.parseHistory('something else'), undefined);
});
