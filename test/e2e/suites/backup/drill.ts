/**
 * Restore drills on a cluster with a real storage: what is good passes, what is not is named, the bucket stays as it
 * is.
 */
import { randomBytes } from 'node:crypto';
import { App, Chart, Duration } from 'cdk8s';
import { EverestAgent, PostgresCluster, Protection, type DrillCheck } from '../../../../lib';
import type { Obj } from '../../kit/cluster-api';
import { DRILL_FIGURES, badDrill, goodDrill } from '../../kit/drills';
import { AGENT_IMAGE } from '../../kit/images';
import { startJob, untilEnded } from '../../kit/jobs';
import { RIGHT_KEY, storageIn, storageObjects, storageSecret } from '../../kit/object-storage';
import { PostgresUnderTest } from '../../kit/postgres';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

const NAME = 'orders';
const BUCKET = 'e2e-drill';
const ROWS = 20_000;
const PATIENCE_S = 600;

type Listing = Readonly<Record<string, { readonly type: string; readonly size?: number; readonly time?: number }>>;

export class Drills {
  private namespace = '';
  private cluster!: PostgresUnderTest;

  /** A cluster with a backup, and rows that came after it. */
  async ready({ api, faults }: SuiteContext): Promise<void> {
    if (this.namespace) return;
    if (!faults.available) throw new Skip(faults.whyNot);
    const authority = await faults.bucket(BUCKET);
    this.namespace = `drill-${randomBytes(3).toString('hex')}`;
    await api.createNamespace(this.namespace);
    this.cluster = new PostgresUnderTest(api, this.namespace, NAME);
    await api.apply(storageObjects(authority), this.namespace);
    await this.apply(api, []);
    await this.cluster.untilSettled(1, PATIENCE_S);
    await this.sql(`CREATE TABLE t AS SELECT g AS id, md5(g::text) AS v FROM generate_series(1, ${ROWS}) g; CREATE INDEX ON t (v)`);
    await untilEnded(api, this.namespace, await startJob(api, this.namespace, `${NAME}-backup-nightly`), { seconds: PATIENCE_S });
    await this.sql('INSERT INTO t SELECT g, md5(g::text) FROM generate_series(1, 1000) g');
  }

  /** Everything that was committed is in the copy, and nothing in the bucket has changed. */
  async good({ api }: SuiteContext): Promise<Sample> {
    await this.apply(api, [
      { name: 'rows', sql: `SELECT count(*) = ${ROWS + 1000} FROM t`, database: 'postgres' },
      { name: 'index', sql: "SELECT count(*) > 0 FROM t WHERE v = md5('7')", database: 'postgres' },
    ]);
    await this.untilArchived();
    const before = await this.listing();
    const sample = await goodDrill(api, this.drill());
    this.expectUnchanged(before, await this.listing());
    return sample;
  }

  async failing({ api }: SuiteContext, { check, says }: { check: DrillCheck; says: RegExp }): Promise<Sample> {
    await this.apply(api, [check]);
    return badDrill(api, this.drill(), { kind: 'check-failed', says });
  }

  async wrongKey({ api }: SuiteContext): Promise<Sample> {
    await api.merge(storageSecret(), this.namespace, { stringData: { AWS_SECRET_ACCESS_KEY: 'wrong' } });
    try {
      return await badDrill(api, this.drill(), { kind: 'wrong-credentials' });
    } finally {
      await api.merge(storageSecret(), this.namespace, { stringData: RIGHT_KEY });
    }
  }

  async remove({ api }: SuiteContext): Promise<void> {
    if (this.namespace) await api.deleteNamespace(this.namespace);
    this.namespace = '';
  }

  async diagnosis(): Promise<string> {
    return this.namespace ? this.cluster.diagnosis() : '';
  }

  private async apply(api: SuiteContext['api'], checks: DrillCheck[]): Promise<void> {
    const chart = new Chart(new App(), 'chart', { namespace: this.namespace });
    const agent = new EverestAgent(chart, 'agent', { image: AGENT_IMAGE.name });
    const cluster = new PostgresCluster(chart, NAME, {
      agent, instances: 1, version: '17', protection: Protection.deleteWithCluster(),
      storage: { size: '2Gi' },
      resources: { requests: { cpu: '100m', memory: '512Mi' } },
      backup: {
        storage: storageIn(BUCKET, this.namespace), jobImage: AGENT_IMAGE.name, archiveTimeout: Duration.seconds(10),
      },
    });
    cluster.addBackupSchedule({ name: 'nightly', cron: '0 2 * * *' });
    cluster.addRestoreDrill({ cron: '0 4 * * *', checks });
    await api.apply(chart.toJson() as Obj[], this.namespace);
  }

  private async sql(statement: string): Promise<string> {
    return this.cluster.sql(await this.cluster.primary(), statement);
  }

  /** All that was written has arrived, so that nothing else changes the bucket. */
  private async untilArchived(): Promise<void> {
    await this.sql('CHECKPOINT; SELECT pg_switch_wal()');
    await waitFor({ what: 'all WAL to be archived', seconds: PATIENCE_S }, async () => {
      const behind = await this.sql("SELECT pg_walfile_name(pg_current_wal_insert_lsn()), last_archived_wal, (SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready') FROM pg_stat_archiver");
      return behind.trim().endsWith('|0') ? undefined : behind;
    });
  }

  private async listing(): Promise<Listing> {
    const { ok, stdout, stderr } = await this.cluster.execIn(await this.cluster.primary(), ['pgbackrest', '--repo=1', '--recurse', '--output=json', 'repo-ls']);
    if (!ok) throw new Error(`the bucket cannot be listed: ${stderr}`);
    return JSON.parse(stdout) as Listing;
  }

  /** What the cluster itself archives meanwhile is new WAL, and nothing else. */
  private expectUnchanged(before: Listing, after: Listing): void {
    const files = Object.keys(before).filter((name) => before[name]!.type === 'file');
    const changed = files.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
    const isOurs = (name: string) => after[name]!.type !== 'file' || /^archive\/db\/[^/]+\/[0-9A-F]{16}\//.test(name);
    const strange = Object.keys(after).filter((name) => !(name in before) && !isOurs(name));
    if (changed.length > 0 || strange.length > 0) throw new Error(`the drill changed the bucket: ${[...changed, ...strange].join(', ')}`);
  }

  private drill() {
    return { namespace: this.namespace, cluster: NAME, seconds: PATIENCE_S };
  }
}

export function drillEvents(drills: Drills): SuiteEvent[] {
  const measure = { what: 'time of the Job' };
  const event = (name: string, run: SuiteEvent['run'], figures: SuiteEvent['figures'] = {}): SuiteEvent => ({
    name, measure, figures,
    run: async (context, number) => {
      await drills.ready(context);
      return run(context, number);
    },
  });
  const failing = (check: DrillCheck, says: RegExp): SuiteEvent['run'] => (context) => drills.failing(context, { check, says });
  return [
    event('drill', (context) => drills.good(context), DRILL_FIGURES),
    event('drill-check-false', failing({ name: 'empty', sql: 'SELECT count(*) = 0 FROM t', database: 'postgres' }, /^empty: false$/)),
    event('drill-check-broken', failing({ name: 'lost', sql: 'SELECT true FROM nowhere', database: 'postgres' }, /^lost: .*"nowhere" does not exist/)),
    event('drill-wrong-key', (context) => drills.wrongKey(context)),
  ];
}
