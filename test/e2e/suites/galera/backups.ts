/**
 * Backups of a MariaDbCluster and its binary log: what a table that was dropped is worth afterwards, and what a backup
 * costs against the same steps by hand.
 */
import { randomBytes } from 'node:crypto';
import { App, Chart, Duration } from 'cdk8s';
import { GaleraArchive } from './archive';
import {
  Bootstrap, MariaDbCluster, NetworkPeer, Protection, RecoverySource,
  RecoveryTarget, type BackupOptions, type BackupStorage, type DrillCheck, type MariaDbClusterProps,
} from '../../../../lib';
import { isReady, type ClusterApi, type Obj } from '../../kit/cluster-api';
import { DRILL_FIGURES, badDrill, goodDrill } from '../../kit/drills';
import { AGENT_IMAGE } from '../../kit/images';
import { ARCHIVE_ENDPOINT, ARCHIVE_KEYS, RIGHT_KEY, storageIn, storageObjects, storageSecret } from '../../kit/object-storage';
import type { Sample, Suite, SuiteContext } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

const NAME = 'orders';
const BUCKET = 'e2e-galera';
const PATIENCE_S = 600;
/** Rows before the table is dropped, each a transaction of its own. */
const ROWS = 1000;
/** Rows of random bytes for the backup's time, 1,000 bytes each: what is done once weighs little beside a gigabyte. */
const BULK_ROWS = 1_000_000;

/** The same steps without this project: no lock, no counting, no retention. */
const BY_HAND = `set -eu
export RCLONE_CONFIG=/dev/null RCLONE_CONFIG_S3_TYPE=s3 RCLONE_CONFIG_S3_PROVIDER=Other RCLONE_CONFIG_S3_REGION=us-east-1
export RCLONE_CONFIG_S3_ENDPOINT=https://${ARCHIVE_ENDPOINT} RCLONE_CONFIG_S3_FORCE_PATH_STYLE=true RCLONE_CONFIG_S3_NO_CHECK_BUCKET=true
export RCLONE_CONFIG_S3_ACCESS_KEY_ID=$1 RCLONE_CONFIG_S3_SECRET_ACCESS_KEY=$2 RCLONE_CA_CERT=$(ls -d /run/mysqld/*/storage-ca.crt | head -n 1)
export RCLONE_CONFIG_R_TYPE=crypt RCLONE_CONFIG_R_REMOTE=s3:${BUCKET}/by-hand RCLONE_CONFIG_R_FILENAME_ENCRYPTION=off
export RCLONE_CONFIG_R_DIRECTORY_NAME_ENCRYPTION=false RCLONE_CONFIG_R_PASSWORD=$(echo pass | rclone obscure -)
mariadb-backup --no-defaults --backup --galera-info --stream=mbstream --user=mysql --socket=/run/mysqld/mysqld.sock \\
  --datadir=/var/lib/mysql/data --target-dir=/tmp/by-hand 2>/dev/null | zstd -q -3 -T1 |
  rclone --s3-chunk-size 16Mi --s3-upload-concurrency 2 rcat r:base`;

class MariaDbBackups {
  readonly namespace = `galera-backup-${randomBytes(3).toString('hex')}`;
  private ready: Promise<void> | undefined;
  private runs = 0;

  /** One cluster for all events, made when the first of them needs it. */
  async setUp(context: SuiteContext): Promise<void> {
    this.ready ??= this.make(context);
    await this.ready;
  }

  /** The table is dropped, a copy is made as of just before, and every row is looked for in it. */
  async dropTableUndone(context: SuiteContext): Promise<Sample> {
    await this.setUp(context);
    const { api } = context;
    const [table, run] = [`w${this.runs}`, this.runs++];
    await this.sql(api, `CREATE TABLE app.${table} (id INT PRIMARY KEY) ENGINE=InnoDB`);
    await this.sql(api, Array.from({ length: ROWS }, (_, id) => `INSERT INTO app.${table} VALUES (${id})`).join(';'));
    // A second between the last row and the drop, so that a time can name the moment between them.
    await this.sql(api, 'SELECT SLEEP(2)');
    const [gtid, dropped] = (await this.sql(api, `DROP TABLE app.${table}; SELECT @@last_gtid, UNIX_TIMESTAMP()`)).split('\t');
    await this.sql(api, `INSERT INTO app.after_drop VALUES (${run})`);
    await this.archive(api).untilArchived();
    const started = Date.now();
    const target = run % 2 === 0 ? RecoveryTarget.transaction(gtid!, { exclusive: true })
      : RecoveryTarget.time(new Date((Number(dropped) - 1) * 1000).toISOString());
    const copy = `copy-${run}`;
    const from = RecoverySource.storage(this.storage(), { clusterName: NAME });
    await this.apply(api, copy, { instances: 1, bootstrap: Bootstrap.recover({ from, target }) });
    await this.untilReady(api, copy, 1);
    const value = (Date.now() - started) / 1000;
    const found = Number(await this.sql(api, `SELECT COUNT(*) FROM app.${table}`, `${copy}-1-0`));
    const later = Number(await this.sql(api, `SELECT COUNT(*) FROM app.after_drop WHERE id >= ${run}`, `${copy}-1-0`));
    await this.remove(api, copy);
    if (later > 0) throw new Error(`${later} rows from after the target are in the copy`);
    return { value, acked: ROWS, lost: ROWS - found, note: `${target.type} ${target.value}` };
  }

  /** The drill finds every row, also those that came after the backup, and changes nothing in the bucket. */
  async drill(context: SuiteContext): Promise<Sample> {
    await this.setUp(context);
    const { api } = context;
    const written = 20 + this.runs++;
    await this.sql(api, `CREATE TABLE app.d${written} (id INT PRIMARY KEY, UNIQUE KEY again (id)) ENGINE=InnoDB; INSERT INTO app.d${written} SELECT seq FROM app.seq_1_to_${written}`);
    await this.applyDrill(api, [{ name: 'rows', sql: `SELECT COUNT(*) = ${written} FROM d${written}` }]);
    await this.archive(api).untilArchived();
    const before = await this.backupFiles(api);
    const sample = await goodDrill(api, this.drillWanted());
    const after = await this.backupFiles(api);
    if (after !== before) throw new Error(`the drill changed the backups: ${before} before, ${after} after`);
    return sample;
  }

  async drillThatFails(context: SuiteContext, { check, says }: { check: DrillCheck; says: RegExp }): Promise<Sample> {
    await this.setUp(context);
    await this.applyDrill(context.api, [check]);
    return badDrill(context.api, this.drillWanted(), { kind: 'check-failed', says });
  }

  async drillWithWrongKey(context: SuiteContext): Promise<Sample> {
    await this.setUp(context);
    const { api } = context;
    await this.applyDrill(api, []);
    await api.merge(storageSecret(), this.namespace, { stringData: { AWS_SECRET_ACCESS_KEY: 'wrong' } });
    try {
      return await badDrill(api, this.drillWanted(), { kind: 'wrong-credentials' });
    } finally {
      await api.merge(storageSecret(), this.namespace, { stringData: RIGHT_KEY });
    }
  }

  /** Somebody removes a file of the binary log from the bucket. A new backup begins a new window. */
  async drillOfAHole(context: SuiteContext): Promise<Sample> {
    await this.setUp(context);
    const { api } = context;
    await this.sql(api, `INSERT INTO app.after_drop VALUES (${1000 + this.runs++})`);
    await this.applyDrill(api, []);
    await this.archive(api).untilArchived();
    await this.archive(api).python('[archive.remove(part.path) for part in sorted(archive.parts(), key=lambda part: part.begun)[-1:]]');
    const sample = await badDrill(api, this.drillWanted(), { kind: 'archive-gap' });
    await this.archive(api).backup('again');
    return sample;
  }

  /** The Job's own part in the member, against the same programs by hand, one after the other on the same data. */
  async backupRatio(context: SuiteContext): Promise<Sample> {
    await this.setUp(context);
    const { api } = context;
    await this.sql(api, 'CREATE TABLE IF NOT EXISTS app.bulk (id INT PRIMARY KEY AUTO_INCREMENT, pad VARBINARY(1000)) ENGINE=InnoDB');
    const rows = Number(await this.sql(api, 'SELECT COUNT(*) FROM app.bulk'));
    for (let made = rows; made < BULK_ROWS; made += 20_000) {
      await this.sql(api, 'INSERT INTO app.bulk (pad) SELECT RANDOM_BYTES(1000) FROM app.seq_1_to_20000');
    }
    const { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret } = await api.secret(this.namespace, ARCHIVE_KEYS);
    const ours = await this.archive(api).backup('ratio');
    const hand = await this.archive(api).timed(['bash', '-c', BY_HAND, 'by-hand', key!, secret!]);
    return { value: ours / hand, figures: { ours, hand } };
  }

  private drillWanted() {
    return { namespace: this.namespace, cluster: NAME, seconds: PATIENCE_S };
  }

  private async applyDrill(api: ClusterApi, checks: DrillCheck[]): Promise<void> {
    await this.apply(api, NAME, { backup: { ...this.backup(), drills: [{ cron: '0 4 * * *', checks }] } });
  }

  private async backupFiles(api: ClusterApi): Promise<string> {
    return this.archive(api).python("print(sorted(item for item in archive.sizes().items() if item[0].startswith('backups/')))");
  }

  async tearDown(api: ClusterApi): Promise<void> {
    if (this.ready) await api.deleteNamespace(this.namespace);
  }

  private async make({ api, faults }: SuiteContext): Promise<void> {
    if (!faults.available) throw new Skip('the storage is that of the testbed, and there is none here');
    const authority = await faults.bucket(BUCKET);
    await api.createNamespace(this.namespace);
    await api.apply(storageObjects(authority), this.namespace);
    await this.apply(api, NAME, { backup: this.backup() });
    await this.untilReady(api, NAME, 3);
    await this.sql(api, 'CREATE TABLE app.after_drop (id INT PRIMARY KEY) ENGINE=InnoDB');
    await this.archive(api).backup('first');
  }

  private backup(): BackupOptions {
    return {
      storage: this.storage(), archiveTimeout: Duration.seconds(10), jobImage: AGENT_IMAGE.name,
      schedules: [{ name: 'nightly', cron: '0 2 * * *' }],
    };
  }

  /** A prefix of this run: the bucket outlives it. */
  private storage(): BackupStorage {
    return storageIn(BUCKET, this.namespace);
  }

  private manifests(name: string, props: Partial<MariaDbClusterProps>): Obj[] {
    const chart = new Chart(new App(), name, { namespace: this.namespace });
    new MariaDbCluster(chart, name, {
      storage: { size: '6Gi' }, protection: Protection.deleteWithCluster(), network: { allowFrom: [NetworkPeer.ownNamespace()] },
      resources: { requests: { cpu: '50m', memory: '700Mi' }, limits: { memory: '700Mi' } }, ...props,
    });
    return chart.toJson() as Obj[];
  }

  private async apply(api: ClusterApi, name: string, props: Partial<MariaDbClusterProps>): Promise<void> {
    await api.apply(this.manifests(name, props), this.namespace);
  }

  private async remove(api: ClusterApi, name: string): Promise<void> {
    await api.delete(this.manifests(name, { instances: 1 }), this.namespace, 1);
  }

  private async untilReady(api: ClusterApi, name: string, members: number): Promise<void> {
    await waitFor({ what: `${members} members of ${name}`, seconds: PATIENCE_S, everyMs: 500 }, async () => {
      const pods = await api.pods(this.namespace, `everest.io/cluster=${name},everest.io/component=member`);
      const ready = pods.filter(isReady).length;
      return ready === members ? undefined : `${ready} are ready`;
    });
  }

  private archive(api: ClusterApi): GaleraArchive {
    return new GaleraArchive(api, this.namespace, NAME);
  }

  private async sql(api: ClusterApi, statement: string, pod?: string): Promise<string> {
    return this.archive(api).sql(statement, pod);
  }
}

const DRILL = { what: 'time of the Job' };

/** Events of the suite `galera`, and what takes away what they made. */
export function backupEvents(): Required<Pick<Suite, 'events' | 'tearDown'>> {
  const backups = new MariaDbBackups();
  return {
    tearDown: ({ api }) => backups.tearDown(api),
    events: [
      {
        name: 'drop-table-undone', measure: { what: 'time from apply to a ready copy' }, run: (context) => backups.dropTableUndone(context),
      },
      {
        name: 'drill', measure: DRILL, figures: DRILL_FIGURES, run: (context) => backups.drill(context),
      },
      {
        name: 'drill-check-false', measure: DRILL,
        run: (context) => backups.drillThatFails(context, { check: { name: 'empty', sql: 'SELECT COUNT(*) > 1000000 FROM after_drop' }, says: /^empty: 0$/ }),
      },
      { name: 'drill-wrong-key', measure: DRILL, run: (context) => backups.drillWithWrongKey(context) },
      { name: 'drill-archive-hole', measure: DRILL, run: (context) => backups.drillOfAHole(context) },
      {
        name: 'backup-ratio', measure: { what: 'time of a full backup against the same steps by hand', unit: 'times', goal: { p50: 1.1 } },
        figures: { ours: { what: 'time of a full backup' }, hand: { what: 'time by hand' } }, run: (context) => backups.backupRatio(context),
      },
    ],
  };
}
