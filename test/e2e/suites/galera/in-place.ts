/**
 * A restore in place of a Galera cluster and its way back, as a person does them. The moment has what was there at it,
 * row by row and alike on all members; the way back has all that was acknowledged until the servers stopped.
 */
import { execFile as execFileWithCallback } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Duration } from 'cdk8s';
import { GaleraArchive } from './archive';
import { MEMBERS, PATIENCE_S } from './fixture';
import { MissedRestore } from './missed-restore';
import { Bootstrap, RecoverySource, RecoveryTarget, type BackupStorage } from '../../../../lib';
import { AgentUnderTest } from '../../kit/agent';
import type { Obj } from '../../kit/cluster-api';
import { galeraCluster } from '../../kit/constructs';
import { GaleraUnderTest } from '../../kit/galera';
import { AGENT_IMAGE } from '../../kit/images';
import { storageIn, storageObjects } from '../../kit/object-storage';
import { nameOf } from '../../kit/postgres';
import { Skip, type Sample, type Suite, type SuiteContext } from '../../kit/suite';
import { since, waitFor } from '../../kit/wait';
import { Writer } from '../../kit/writer';

const execFile = promisify(execFileWithCallback);
const COMMAND = join(__dirname, '../../../../agent/dist/kubectl-everest.cjs');
const BUCKET = 'e2e-galera-in-place';
const DATABASE = 'app';

/** Who dies, and when: as soon as the log of that member has said it. */
interface Death {
  readonly who: 'agents' | 1 | 2 | 3;
  readonly member: 1 | 2 | 3;
  readonly said: RegExp;
  readonly back?: true;
}

const DEATHS: readonly Death[] = [
  { who: 'agents', member: 1, said: /holding: / },
  { who: 1, member: 1, said: /holding: / },
  { who: 2, member: 2, said: /been through restore/ },
  { who: 1, member: 1, said: /recovers backup/ },
  { who: 3, member: 3, said: /joining: / },
  { who: 2, member: 2, said: /holding: /, back: true },
];

export interface Moment {
  readonly at: string;
  readonly rows: string;
  readonly sum: string;
}

export class InPlace {
  readonly namespace = `galera-in-place-${randomBytes(3).toString('hex')}`;
  readonly cluster = `my-${randomBytes(3).toString('hex')}`;
  private ready: Promise<void> | undefined;
  private restores = 0;
  under!: GaleraUnderTest;
  archive!: GaleraArchive;
  writer!: Writer;
  private storageClass = '';

  async run(context: SuiteContext, death?: Death): Promise<Sample> {
    const { name, moment } = await this.begin(context);
    await this.declareRestore(context, name, moment.at);
    const start = performance.now();
    await Promise.all([this.command('restore', name), this.restWhenSilent(), this.kill(context, death, false)]);
    const value = since(start);
    await this.under.untilSettled(MEMBERS, PATIENCE_S);
    const whole = since(start) - value;
    await this.isAsAt(moment);
    const back = await this.putBack(context, name, death);
    const { acked, lost } = await this.writer.verify();
    const note = death ? { note: `${death.who === 'agents' ? 'both agents die' : `member ${death.who} dies`} at ${death.said.source}${death.back ? ' of the way back' : ''}` } : {};
    return { value, acked, lost, figures: { whole, back }, ...note };
  }

  /** Rows until a moment and after it, all of them in the archive, and a name for the next restore. */
  async begin(context: SuiteContext): Promise<{ readonly name: string; readonly moment: Moment }> {
    this.ready ??= this.make(context);
    await this.ready;
    await this.write();
    const moment = await this.remember();
    await this.write();
    await this.archive.untilArchived();
    return { name: `restore-${++this.restores}`, moment };
  }

  async declareRestore(context: SuiteContext, name: string, at: string): Promise<void> {
    const from = RecoverySource.storage(this.storage(), { clusterName: this.cluster });
    await this.declare(context, Bootstrap.recover({ from, target: RecoveryTarget.time(at), replacing: name }), name);
  }

  async putBack(context: SuiteContext, name: string, death?: Death): Promise<number> {
    // Written after the restore, so that it must be gone behind the way back.
    await this.archive.sql(`CREATE TABLE ${DATABASE}.later (id INT PRIMARY KEY)`);
    await this.declare(context, Bootstrap.putBack(name));
    const start = performance.now();
    await Promise.all([this.command('reject', name), this.kill(context, death, true)]);
    const seconds = since(start);
    await this.under.untilSettled(MEMBERS, PATIENCE_S);
    const later = await this.archive.sql(`SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '${DATABASE}' AND table_name = 'later'`);
    if (later !== '0') throw new Error('what was written after the restore is there behind the way back');
    await this.areAlike();
    await this.command('accept', name);
    await this.declare(context);
    return seconds;
  }

  async write(): Promise<void> {
    await this.writer.mark(['rw']);
    await this.writer.untilWriting(PATIENCE_S);
  }

  /** While nobody writes, so that the rows of the moment are known. Targets are whole seconds. */
  async remember(): Promise<Moment> {
    await this.writer.mark([]);
    await this.archive.sql('SELECT SLEEP(2)');
    const [at, rows] = (await this.archive.sql(`SELECT UNIX_TIMESTAMP(), COUNT(*) FROM ${DATABASE}.e2e_writes`)).split('\t');
    const sum = await this.areAlike();
    await this.archive.sql('SELECT SLEEP(2)');
    return { at: new Date(Math.floor(Number(at)) * 1000).toISOString(), rows: rows!, sum };
  }

  async isAsAt({ rows, sum }: Moment): Promise<void> {
    const now = await this.archive.sql(`SELECT COUNT(*) FROM ${DATABASE}.e2e_writes`);
    if (now !== rows) throw new Error(`${now} rows are there after the restore, and ${rows} were at the moment`);
    const restored = await this.areAlike();
    if (restored !== sum) throw new Error(`the rows are others than at the moment: ${restored}, not ${sum}`);
  }

  private async areAlike(): Promise<string> {
    const sums = await this.under.checksums(DATABASE);
    if (new Set(sums).size !== 1) throw new Error(`members differ: ${sums.join(', ')}`);
    return sums[0]!;
  }

  /** The client writes until the servers stop; what it gets acknowledged later would be of another history. */
  async restWhenSilent(): Promise<void> {
    await waitFor({ what: 'the servers to stop', seconds: PATIENCE_S, everyMs: 200 }, async () => {
      const { silent } = await this.writer.status();
      return silent > 2 ? undefined : `silent for ${silent} s`;
    });
    await this.writer.mark([]);
  }

  private async kill({ api }: SuiteContext, death: Death | undefined, isBack: boolean): Promise<void> {
    if (!death || (death.back ?? false) !== isBack) return;
    const name = `${this.cluster}-${death.member}-0`;
    const before = (await this.under.members()).find((pod) => nameOf(pod) === name)?.metadata?.uid;
    await waitFor({ what: `${name} to say ${death.said.source}`, seconds: PATIENCE_S, everyMs: 100 }, async () => {
      const pod = (await this.under.members()).find((each) => nameOf(each) === name);
      if (!pod || pod.metadata?.uid === before) return 'its Pod is the old one';
      const log = await api.logs(this.namespace, name, 'mariadb', 2000).catch(() => '');
      return death.said.test(log) ? undefined : 'it has not';
    });
    if (death.who !== 'agents') {
      const pod = (await this.under.members()).find((each) => nameOf(each) === `${this.cluster}-${death.who}-0`);
      return pod && this.under.kill(pod);
    }
    const agents = await new AgentUnderTest(api, this.namespace).pods();
    return api.delete(agents.map((pod) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: nameOf(pod) } } as Obj)), this.namespace, 0);
  }

  /** As a person runs it. */
  private async command(step: string, name: string): Promise<void> {
    await execFile(process.execPath, [COMMAND, step, this.cluster, '-n', this.namespace, '--id', name], { timeout: PATIENCE_S * 1000 });
  }

  async declare({ api }: SuiteContext, bootstrap?: Bootstrap, prefix?: string): Promise<void> {
    const backup = { storage: this.storage(prefix), archiveTimeout: Duration.seconds(10), jobImage: AGENT_IMAGE.name };
    const { namespace, cluster: name, storageClass } = this;
    const wanted = { namespace, name, storageClass, backup, ...(bootstrap ? { bootstrap } : {}) };
    await api.apply(galeraCluster(wanted), namespace);
  }

  private storage(prefix = 'first'): BackupStorage {
    return storageIn(BUCKET, `${this.namespace}/${prefix}`);
  }

  private async make(context: SuiteContext): Promise<void> {
    const { api, faults } = context;
    if (!faults.available) throw new Skip('the storage is that of the testbed, and there is none here');
    const authority = await faults.bucket(BUCKET);
    this.storageClass = process.env.E2E_STORAGE_CLASS ?? (await api.defaultStorageClass()) ?? '';
    await api.createNamespace(this.namespace);
    await api.apply(storageObjects(authority), this.namespace);
    await this.declare(context);
    this.under = new GaleraUnderTest(api, this.namespace, this.cluster);
    this.archive = new GaleraArchive(api, this.namespace, this.cluster);
    this.writer = new Writer(api, { engine: 'mysql', namespace: this.namespace, cluster: this.cluster, secret: `${this.cluster}-app` });
    await this.under.untilSettled(MEMBERS, PATIENCE_S);
    await this.writer.start();
    await this.archive.backup('first');
  }

  async diagnosis(): Promise<string> {
    return this.under ? this.under.diagnosis() : '';
  }

  async tearDown({ api }: SuiteContext): Promise<void> {
    if (this.ready) await api.deleteNamespace(this.namespace);
  }
}

/** Events of the suite `galera`, and what takes away what they made. */
export function inPlaceEvents(): Required<Pick<Suite, 'events' | 'tearDown'>> & { readonly diagnosis: () => Promise<string> } {
  const inPlace = new InPlace();
  const measure = { what: 'from the command until a restored member is ready' };
  const figures = {
    whole: { what: 'from then until all members are in step' },
    back: { what: 'from the command of the way back until a member is ready' },
  };
  return {
    tearDown: (context) => inPlace.tearDown(context),
    diagnosis: () => inPlace.diagnosis(),
    events: [
      { name: 'in-place-restore', measure, figures, run: (context) => inPlace.run(context) },
      {
        name: 'killed-in-restore', measure, figures,
        run: (context, run) => inPlace.run(context, DEATHS[(run - 1) % DEATHS.length]!),
      },
      {
        name: 'missed-restore', figures: { back: figures.back },
        measure: { what: 'from its start until the member that missed the restore is in step with the others' },
        run: (context, run) => new MissedRestore(inPlace).run(context, run % 2 === 1),
      },
    ],
  };
}
