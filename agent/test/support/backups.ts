/** Repositories as pgBackRest tells of them: the shape is that of pgBackRest 2.55.1, with encryption and bundles. */
import type { BackupFacts, RepositoryFacts } from '../../src/model/pgbackrest.js';
import { WalScale, type ArchiveListing, type TimelineEnd } from '../../src/model/wal.js';

/** As the fixtures have it. */
const SEGMENT_BYTES = 16 * 2 ** 20;
export const SCALE = new WalScale(SEGMENT_BYTES);

const FULL = '20261123-230954F';

/** As printed, of one full, one incremental and one differential backup. */
export const INFO = JSON.stringify([{
  archive: [{ database: { 'id': 1, 'repo-key': 1 }, id: '17-1', max: '000000010000000000000007', min: '000000010000000000000001' }],
  backup: [
    {
      archive: { start: '000000010000000000000002', stop: '000000010000000000000002' },
      backrest: { format: 5, version: '2.55.1' }, database: { 'id': 1, 'repo-key': 1 }, error: false,
      info: { delta: 23422017, repository: { 'delta': 2825208, 'delta-map': 24768, 'size-map': 24768 }, size: 23422017 },
      label: FULL, lsn: { start: '0/2000028', stop: '0/2000120' }, prior: null, reference: null,
      timestamp: { start: 1795475394, stop: 1795475395 }, type: 'full',
    },
    {
      archive: { start: '000000010000000000000003', stop: '000000010000000000000004' },
      backrest: { format: 5, version: '2.55.1' }, database: { 'id': 1, 'repo-key': 1 }, error: false,
      info: { delta: 8450, repository: { 'delta': 408, 'delta-map': 0, 'size-map': 24768 }, size: 23422017 },
      label: `${FULL}_20261123-230956I`, lsn: { start: '0/3000028', stop: '0/4000050' }, prior: FULL, reference: [FULL],
      timestamp: { start: 1795475396, stop: 1795475397 }, type: 'incr',
    },
  ],
  cipher: 'aes-256-cbc',
  db: [{ 'id': 1, 'repo-key': 1, 'system-id': 1, 'version': '17' }],
  name: 'db',
  repo: [{ cipher: 'aes-256-cbc', key: 1, status: { code: 0, message: 'ok' } }],
  status: { code: 0, lock: { backup: { held: false } }, message: 'ok' },
}]);

export function backup(label: string, change: Partial<BackupFacts> = {}): BackupFacts {
  return {
    label, type: 'full', damaged: false, startedAt: 1000, stoppedAt: 1010, databaseId: 1, sizeBytes: 100, storedBytes: 10,
    walStart: '000000010000000000000002', walStop: '000000010000000000000002', buildsOn: [], ...change,
  };
}

export function repository(backups: readonly BackupFacts[], change: Partial<RepositoryFacts> = {}): RepositoryFacts {
  const archives = [{ id: '17-1', databaseId: 1, oldest: undefined, newest: undefined }];
  return { code: backups.length === 0 ? 2 : 0, message: 'ok', busy: false, archives, backups, ...change };
}

/** In the middle of this segment. */
export function ended(timeline: number, number: number): TimelineEnd {
  return { timeline, number, place: (number + 0.5) * SEGMENT_BYTES };
}

/** Segments by number on each timeline: `{ 1: [2, 3], 2: [3, 4] }`. */
export function archive(
  segments: Readonly<Record<number, readonly number[]>>, history: ArchiveListing['history'] = [],
): ArchiveListing {
  const all = Object.entries(segments).flatMap(([timeline, numbers]) => (
    numbers.map((number) => ({ timeline: Number(timeline), number }))
  ));
  return { scale: SCALE, segments: all, history, timeline: Math.max(...all.map(({ timeline }) => timeline)) };
}
