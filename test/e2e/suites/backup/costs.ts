/** What backups and the archive cost, against the same work without them, in turns on the same data. */
import { withEmptyMember } from './by-hand';
import type { BackupFixture } from './fixture';
import { untilAloneWritable } from './fixture';
import { NOW } from './undo';
import { RecoveryTarget } from '../../../../lib';
import { median } from '../../kit/statistics';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';

/** Size of the database. A Job takes some seconds whatever it backs up, so that the ratio depends on it. */
const GIB = Number(process.env.E2E_BACKUP_GIB ?? 6);
/** Room for a second copy, and for the log. */
export const VOLUME = `${Math.ceil(4 * GIB)}Gi`;
/** pgbench's unit is 100,000 accounts, 15 MiB with its index: 2 GiB and a bit. */
const SCALE = 140;
/** Its rows are mostly blanks, which are compressed to nothing. The rest is text that goes down to about a half. */
const TEXT = 'md5(random()::text) || md5(random()::text) || md5(random()::text) || md5(random()::text)';
const TEXT_ROWS = 1_000_000;
const FILL_S = 1800;
const TURNS = 3;
const PGBENCH_S = 30;
const CLIENTS = 4;
const LIMIT_S = 900;

export function costEvents(large: BackupFixture): SuiteEvent[] {
  return [
    {
      name: 'full-backup-ratio', once: true,
      measure: { what: `time of the full backup of ${GIB} GiB by a Job against pgBackRest by hand`, unit: 'x', goal: { p50: 1.1 } },
      figures: {
        job: { what: 'until Kubernetes calls the Job complete' }, counts: { what: 'until the status counts the backup' },
        byHand: { what: 'time of pgBackRest by hand' }, size: { what: 'size of the database', unit: 'MiB' },
      },
      run: (context) => fullBackup(context, large),
    },
    {
      name: 'pitr-ratio', once: true,
      measure: { what: `time from apply until a clone of ${GIB} GiB at a moment takes writes against the same by hand`, unit: 'x', goal: { p50: 1.1 } },
      figures: { clone: { what: 'time of the clone' }, byHand: { what: 'time of pgBackRest and PostgreSQL by hand' } },
      run: (context) => pitr(context, large),
    },
    {
      name: 'archive-cost', once: true,
      // The goal is a lower bound, and figures are judged by upper ones: the cost of an archive, 1/0.95.
      measure: { what: 'transactions a second of pgbench without the archive against with it', unit: 'x', goal: { p50: 1 / 0.95 } },
      figures: { with: { what: 'with the archive', unit: 'tps' }, without: { what: 'without', unit: 'tps' } },
      run: (context) => archive(context, large),
    },
  ];
}

async function filled(context: SuiteContext, fixture: BackupFixture): Promise<number> {
  await fixture.settled(context);
  const size = async () => Number(await fixture.sql('SELECT pg_database_size(current_database()) >> 20'));
  if (await size() < GIB * 1024) {
    await fixture.inPrimary(['pgbench', '-i', '-I', 'dtGvp', '-s', String(SCALE), '-q', 'app'], FILL_S);
    await fixture.sql('CREATE TABLE text_rows (text text)');
    while (await size() < GIB * 1024) {
      const insert = `INSERT INTO text_rows SELECT ${TEXT} FROM generate_series(1, ${TEXT_ROWS})`;
      await fixture.inPrimary(['psql', '-qd', 'app', '-c', insert], FILL_S);
    }
    await fixture.untilArchived();
  }
  return size();
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** When the last Job wrote its result into the status; the Pod has this machine's clock. */
async function reportedAt(fixture: BackupFixture): Promise<number> {
  const status = await fixture.status<{ schedules: Record<string, { endedAt: string }> }>('backup.json');
  return Date.parse(status?.schedules.nightly?.endedAt ?? '');
}

/** In turns, so that what else the machine does hits both. */
async function fullBackup(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  const size = await filled(context, fixture);
  const [job, counts, byHand]: [number[], number[], number[]] = [[], [], []];
  for (let turn = 0; turn < TURNS; turn++) {
    byHand.push(await timed(() => fixture.pgBackRest(['--type=full', 'backup'], LIMIT_S)));
    const asked = Date.now();
    job.push(await timed(() => fixture.backUp(LIMIT_S)));
    counts.push((await reportedAt(fixture) - asked) / 1000);
  }
  const figures = { job: median(job)!, counts: median(counts)!, byHand: median(byHand)!, size };
  return { value: figures.job / figures.byHand, figures, note: `by hand ${shown(byHand)}, Jobs ${shown(job)}` };
}

/** pgBackRest's configuration is there; the credentials are brought first, which is not what is measured. */
const PREPARE = `
  data=$(sed -n "s/^pg1-path=//p" "$PGBACKREST_CONFIG")
  mkdir -p -m 700 "$data" "$PGBACKREST_CONFIG_INCLUDE_PATH"
  python3 /etc/everest/member.py prepare-archive || [ -s "$PGBACKREST_CONFIG_INCLUDE_PATH/secrets.conf" ]
`;

/** With the primary's own settings, but for those of its cluster. */
const RECOVER = `
  pgbackrest --stanza=db --type=time --target="$0" --target-action=promote restore
  data=$(sed -n 's/^pg1-path=//p' "$PGBACKREST_CONFIG")
  pg_ctl -D "$data" -o "-c archive_mode=off" -w -t ${LIMIT_S} -l /tmp/by-hand.log start > /dev/null || { cat /tmp/by-hand.log; exit 1; }
  until [ "$(psql -qAt -d app -c 'SELECT pg_is_in_recovery()')" = f ]; do sleep 0.1; done
  psql -qAt -d app -c 'CREATE TABLE by_hand ()'
`;

async function pitr(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await filled(context, fixture);
  await fixture.backUp(LIMIT_S);
  const at = await fixture.sql(`SELECT ${NOW}`);
  // A recovery stops at the first commit after the moment.
  await fixture.sql('CREATE TABLE IF NOT EXISTS later ()');
  await fixture.untilArchived();
  const [clone, hand]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < TURNS; turn++) {
    hand.push(await withEmptyMember(context, fixture, VOLUME, async (run) => {
      await run(PREPARE, LIMIT_S);
      return timed(() => run(RECOVER, LIMIT_S, at.replace('T', ' ').replace('Z', '+00')));
    }));
    const start = performance.now();
    const wanted = { target: RecoveryTarget.time(at), instances: 1, volume: VOLUME };
    await fixture.withClone(context, wanted, async (made) => {
      await untilAloneWritable(made, LIMIT_S);
      clone.push((performance.now() - start) / 1000);
    });
  }
  const figures = { clone: median(clone)!, byHand: median(hand)! };
  return { value: figures.clone / figures.byHand, figures, note: `by hand ${shown(hand)}, clones ${shown(clone)}` };
}

async function archive(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await filled(context, fixture);
  const rates: Record<'with' | 'without', number[]> = { with: [], without: [] };
  await bench(fixture, 'with');
  try {
    for (let turn = 0; turn < 2 * TURNS; turn++) {
      // AB BA AB: what gets slower with time hits both.
      const order = turn % 2 === 0 ? ['with', 'without'] as const : ['without', 'with'] as const;
      for (const kind of order) rates[kind].push(await bench(fixture, kind));
    }
  } finally {
    await setArchive(fixture, 'with');
  }
  const figures = { with: median(rates.with)!, without: median(rates.without)! };
  return { value: figures.without / figures.with, figures, note: `with ${shown(rates.with)}, without ${shown(rates.without)}` };
}

async function setArchive(fixture: BackupFixture, kind: 'with' | 'without'): Promise<void> {
  const change = kind === 'without' ? "ALTER SYSTEM SET archive_command = 'true'" : 'ALTER SYSTEM RESET archive_command';
  await fixture.sql(change);
  await fixture.sql('SELECT pg_reload_conf()');
}

/** Transactions a second. What the turn before has left to archive is archived first. */
async function bench(fixture: BackupFixture, kind: 'with' | 'without'): Promise<number> {
  await fixture.untilArchived();
  await setArchive(fixture, kind);
  await fixture.sql('CHECKPOINT');
  const said = await fixture.inPrimary(['pgbench', '-n', '-c', String(CLIENTS), '-j', '2', '-T', String(PGBENCH_S), 'app'], 4 * PGBENCH_S);
  const rate = Number(/^tps = ([\d.]+)/m.exec(said)?.[1]);
  if (!(rate > 0)) throw new Error(`pgbench tells no rate: ${said}`);
  return rate;
}

const shown = (values: readonly number[]) => values.map((value) => value.toFixed(1)).join(' ');
