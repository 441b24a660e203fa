/** A cluster that archives to a bucket of its own, a writer, and clusters that are recovered from it. */
import { randomBytes } from 'node:crypto';
import type { V1Pod } from '@kubernetes/client-node';
import type { Obj } from '../../kit/cluster-api';
import { assistedCluster, clonedCluster, type CloneWanted, type ClusterWanted } from '../../kit/constructs';
import { startJob, untilEnded } from '../../kit/jobs';
import { storageObjects } from '../../kit/object-storage';
import { PostgresUnderTest, nameOf } from '../../kit/postgres';
import type { SuiteContext } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import { waitFor } from '../../kit/wait';
import { Writer } from '../../kit/writer';

export const MEMBERS = 3;
/** What should take seconds is waited for in minutes, so that a slow machine tells its figure, not a failure. */
export const PATIENCE_S = 400;
const BACKUP_S = 300;

export interface ListedBackup {
  readonly label: string;
  readonly archive: { readonly start: string; readonly stop: string };
  /** Seconds since 1970. */
  readonly timestamp: { readonly start: number; readonly stop: number };
}

/** Of a cluster that is recovered. */
type Wanted = Pick<CloneWanted, 'target' | 'instances' | 'archived' | 'snapshot' | 'pauseAtTarget' | 'volume'>;

export class BackupFixture {
  namespace = '';
  cluster!: PostgresUnderTest;
  writer!: Writer;
  private clones = 0;
  private wanted!: ClusterWanted;

  /** Differences from the cluster that the other events share. */
  constructor(private readonly changes: Partial<ClusterWanted> = {}) {}

  get instances(): number {
    return this.changes.instances ?? MEMBERS;
  }

  private get volumes(): Pick<CloneWanted, 'walVolume'> {
    const { walVolume } = this.changes;
    return walVolume ? { walVolume } : {};
  }

  private api: SuiteContext['api'] | undefined;

  /** All members stream; nobody writes. */
  async settled(context: SuiteContext): Promise<void> {
    if (!this.namespace) await this.create(context);
    await this.cluster.hurryToSettle(this.instances, PATIENCE_S);
  }

  /** All members stream, the writer gets acknowledgements, and there is a backup. */
  async ready(context: SuiteContext): Promise<void> {
    await this.settled(context);
    if (!(await this.writer.node())) await this.writer.start();
    await this.writer.untilWriting(PATIENCE_S);
    if (!(await this.hasBackup())) await this.backUp();
  }

  /** Applies the cluster's manifests, with something changed. */
  async declare(changes: Partial<ClusterWanted> = {}): Promise<void> {
    await this.api!.apply(assistedCluster({ ...this.wanted, ...changes }), this.namespace);
  }

  /** What was declared, for another one like it. */
  wantedNow(): ClusterWanted {
    return this.wanted;
  }

  /** As the schedule does it; gives the name of the Job. */
  async startBackup(schedule = 'nightly'): Promise<string> {
    return startJob(this.api!, this.namespace, `${this.cluster.name}-backup-${schedule}`);
  }

  /** pgBackRest is at work in the primary. */
  async untilBackupRuns(): Promise<void> {
    await waitFor({ what: 'pgBackRest to be at work', seconds: PATIENCE_S, everyMs: 100 }, async () => {
      const seen = await this.cluster.execIn(await this.cluster.primary(), ['sh', '-c', 'ls /tmp/pgbackrest/*backup*.lock']);
      return seen.ok ? undefined : 'there is no lock';
    });
  }

  async untilBackedUp(job: string, seconds = BACKUP_S): Promise<void> {
    await untilEnded(this.api!, this.namespace, job, { seconds });
  }

  async backUp(seconds = BACKUP_S): Promise<void> {
    await this.untilBackedUp(await this.startBackup(), seconds);
  }

  /** Documents of `<cluster>-status`. */
  async status<T>(key: string): Promise<T | undefined> {
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${this.cluster.name}-status` } } as const;
    const found = await this.api!.read<Obj & { data?: Record<string, string> }>(map, this.namespace);
    const text = found?.data?.[key];
    return text === undefined ? undefined : JSON.parse(text) as T;
  }

  /** Backups as pgBackRest lists them, oldest first. */
  async backups(): Promise<ListedBackup[]> {
    const [stanza] = JSON.parse(await this.pgBackRest(['--output=json', 'info'], PATIENCE_S)) as Array<{ backup: ListedBackup[] }>;
    return stanza?.backup ?? [];
  }

  /** All that was written has arrived. */
  async untilArchived(): Promise<void> {
    await this.sql('SELECT pg_switch_wal()');
    await waitFor({ what: 'all WAL to be archived', seconds: PATIENCE_S, everyMs: 500 }, async () => {
      const waiting = await this.sql("SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'");
      return Number(waiting) <= 1 ? undefined : `${waiting} files wait`;
    });
  }

  async hasBackup(): Promise<boolean> {
    return (await this.backups()).length > 0;
  }

  /** In the primary; gives what it prints. */
  async pgBackRest(args: readonly string[], seconds: number): Promise<string> {
    return this.inPrimary(['pgbackrest', '--stanza=db', ...args], seconds);
  }

  /** Asks the primary. */
  async sql(statement: string, database = 'app'): Promise<string> {
    return this.cluster.sql(await this.cluster.primary(), statement, database);
  }

  /** Applies a cluster that is recovered to the target; `work` gets it, and it is thrown away afterwards. */
  async withClone<T>(context: SuiteContext, wanted: Wanted,
    work: (clone: PostgresUnderTest, declare: (changes: Partial<Wanted>) => Promise<void>) => Promise<T>): Promise<T> {
    const { namespace, cluster: { name: source } } = this;
    const name = `${source}-c${++this.clones}`;
    const storageClass = process.env.E2E_STORAGE_CLASS ?? (await context.api.defaultStorageClass()) ?? '';
    const manifests = (changes: Partial<Wanted> = {}) =>
      clonedCluster({ namespace, name, source, bucket: source, storageClass, ...wanted, ...this.volumes, ...changes });
    const objects = manifests();
    const clone = new PostgresUnderTest(context.api, namespace, name);
    try {
      await context.api.apply(objects, namespace);
      return await work(clone, (changes) => context.api.apply(manifests(changes), namespace));
    } catch (problem) {
      throw new Error(`${problem instanceof Error ? problem.message : String(problem)}\n${await clone.diagnosis().catch(String)}`, { cause: problem });
    } finally {
      const patronis = ['config', 'leader', 'failover', 'sync']
        .map((suffix) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${name}-${suffix}` } }) as Obj);
      await context.api.delete([...objects, ...patronis], namespace);
    }
  }

  /** Until a client of the clone's Service has written, as an application would see it: it tries again at once. */
  async untilServed({ api }: SuiteContext, clone: PostgresUnderTest, seconds: number): Promise<void> {
    const access = { metadata: { labels: { [`access.everest.io/${clone.name}`]: 'true' } } };
    await api.merge({ apiVersion: 'v1', kind: 'Pod', metadata: { name: this.writer.name } } as Obj, this.namespace, access);
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: `${clone.name}-app` } } as const;
    let password = '';
    await waitFor({ what: `a password of ${clone.name}`, seconds, everyMs: 500 }, async () => {
      const { data = {} } = await api.read<Obj & { data?: Record<string, string> }>(secret, this.namespace) ?? {};
      password = Buffer.from(data.password ?? '', 'base64').toString();
      return password === '' ? 'there is none' : undefined;
    });
    const write = `psql -qAt -h ${clone.name}-rw -U app -d app -c 'CREATE TABLE IF NOT EXISTS e2e_served ()' 2> /tmp/said`;
    const command = ['env', `PGPASSWORD=${password}`, 'PGCONNECT_TIMEOUT=2', 'sh', '-c', `until ${write}; do sleep 0.1; done`];
    const { ok, stderr } = await api.exec({ namespace: this.namespace, pod: this.writer.name, container: 'writer' }, command, seconds);
    if (!ok) throw new Error(`the client of ${clone.name}-rw did not write: ${stderr}`);
  }

  /** The first member of a clone copies the backup. */
  async untilRestores({ api }: SuiteContext, { name }: PostgresUnderTest): Promise<void> {
    const first = `${name}-1-0`;
    await waitFor({ what: `${first} to restore`, seconds: PATIENCE_S, everyMs: 100 }, async () => {
      const log = await api.logs(this.namespace, first, 'postgres');
      return log.includes('restoring the backup') ? undefined : 'it does not';
    });
  }

  async diagnosis(): Promise<string> {
    return this.namespace ? this.cluster.diagnosis() : '';
  }

  async remove(context: SuiteContext): Promise<void> {
    if (this.namespace) await context.api.deleteNamespace(this.namespace);
    this.namespace = '';
  }

  /** Runs a command in the primary for as long as it takes; gives what it prints. */
  async inPrimary(command: string[], seconds: number): Promise<string> {
    const result = await this.clusterExec(nameOf(await this.cluster.primary()), command, seconds);
    if (!result.ok) throw new Error(`${command.join(' ')}: ${result.stdout}${result.stderr}`.slice(0, 2000));
    return result.stdout;
  }

  private async clusterExec(pod: string, command: string[], seconds: number) {
    return this.api!.exec({ namespace: this.namespace, pod, container: 'postgres' }, command, seconds);
  }

  private async create({ api, faults }: SuiteContext): Promise<void> {
    if (!faults.available) throw new Skip(faults.whyNot);
    const id = randomBytes(3).toString('hex');
    const name = `bk-${id}`;
    this.api = api;
    this.namespace = `backup-${id}`;
    await api.createNamespace(this.namespace);
    await api.apply(storageObjects(await faults.bucket(name)), this.namespace);
    const storageClass = process.env.E2E_STORAGE_CLASS ?? (await api.defaultStorageClass()) ?? '';
    this.wanted = { namespace: this.namespace, name, storageClass, bucket: name, scheduled: true, ...this.changes };
    await this.declare();
    this.cluster = new PostgresUnderTest(api, this.namespace, name);
    const rows500 = { name: 'rw', host: `${name}-rw`, everyMs: 2 };
    this.writer = new Writer(api, {
      namespace: this.namespace, cluster: name, secret: `${name}-app`, clients: [rows500], onlyThese: true,
    });
  }
}

/** The member that answers as a primary, whatever its label. */
export async function writableMember(clone: PostgresUnderTest): Promise<V1Pod | undefined> {
  const pods = await clone.members();
  const answers = await Promise.all(pods.map((pod) => clone.sql(pod, 'SELECT NOT pg_is_in_recovery()').catch(() => 'f')));
  return pods[answers.indexOf('t')];
}

/** Waits in the Pod itself: to ask it from here again and again takes the processors away from what is measured. */
const WRITES = `
  until [ -S /run/postgresql/.s.PGSQL.5432 ]; do sleep 0.1; done
  until psql -qAtd app -c 'CREATE TABLE IF NOT EXISTS e2e_writable ()' 2> /dev/null; do sleep 0.1; done`;

/** The same as `untilWritable` for a clone of one member that nobody kills. */
export async function untilAloneWritable(clone: PostgresUnderTest, seconds: number): Promise<void> {
  await waitFor({ what: `${clone.name} to take writes`, seconds, everyMs: 200 }, async () => {
    const [first] = await clone.members();
    if (first?.status?.phase !== 'Running') return 'there is no Pod that runs';
    const { ok, stderr } = await clone.execIn(first, ['sh', '-c', WRITES], seconds);
    return ok ? undefined : stderr;
  });
}

/** The one member of a clone, once it takes writes. */
export async function untilWritable(clone: PostgresUnderTest, seconds: number): Promise<void> {
  await waitFor({ what: `${clone.name} to take writes`, seconds, everyMs: 200 }, async () => {
    const [first] = await clone.members();
    if (!first) return 'there is no Pod';
    const writable = await writableMember(clone);
    if (!writable) return 'no member answers as a primary';
    await clone.sql(writable, 'CREATE TABLE IF NOT EXISTS e2e_writable (at timestamptz)', 'app');
    return undefined;
  });
}
