/** After rounds of expiry only what should be there is in the bucket, and its oldest moment can still be restored. */
import type { BackupFixture } from './fixture';
import { PATIENCE_S, untilWritable } from './fixture';
import { RecoveryTarget } from '../../../../lib';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';

const ROUNDS = 3;
const KEPT = 2;

export function retentionEvent(fixture: BackupFixture): SuiteEvent {
  return {
    name: 'retention', once: true, measure: { what: 'from apply until a clone of the oldest moment takes writes' },
    run: (context) => expire(context, fixture),
  };
}

async function expire(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await fixture.ready(context);
  for (let round = 0; round < KEPT + ROUNDS; round++) await fixture.backUp();
  const backups = await fixture.backups();
  const folders = await list(fixture, 'backup/db', /^\d{8}-\d{6}F$/);
  if (backups.length !== KEPT || folders.length !== KEPT) throw new Error(`${folders.length} backups lie in the bucket, and pgBackRest knows ${backups.length}; ${KEPT} are kept`);
  const first = backups[0]!;
  const wal = await list(fixture, 'archive/db', /\/([0-9A-F]{24})-[0-9a-f]{40}/, ['--recurse']);
  const place = (name: string) => name.slice(8);
  const older = wal.filter((name) => place(name) < place(first.archive.start));
  if (older.length > 0) throw new Error(`WAL from before the oldest backup is still there: ${older.slice(0, 3).join(', ')}`);
  if (!wal.some((name) => name === first.archive.start)) throw new Error(`${first.archive.start} of the oldest backup is not there`);
  const oldest = new Date((first.timestamp.stop + 1) * 1000).toISOString();
  await fixture.untilArchived();
  const start = performance.now();
  return fixture.withClone(context, { target: RecoveryTarget.time(oldest), instances: 1 }, async (clone) => {
    await untilWritable(clone, PATIENCE_S);
    return { value: (performance.now() - start) / 1000, note: `${wal.length} WAL files, ${folders.length} backups` };
  });
}

/** Names in the bucket, as they lie there. */
async function list(
  fixture: BackupFixture, folder: string, pattern: RegExp, options: string[] = [],
): Promise<string[]> {
  const lines = (await fixture.pgBackRest([...options, 'repo-ls', folder], PATIENCE_S)).split('\n');
  return lines.flatMap((line) => { const found = pattern.exec(line); return found ? [found[1] ?? found[0]] : []; });
}
