/** A Galera cluster with agent, proxies and writer, made once and brought back into its best state before each run. */
import { randomBytes } from 'node:crypto';
import { AgentUnderTest } from '../../kit/agent';
import type { Obj } from '../../kit/cluster-api';
import { galeraCluster, type GaleraWanted } from '../../kit/constructs';
import { GaleraUnderTest } from '../../kit/galera';
import { restartsOf } from '../../kit/postgres';
import type { Sample, SuiteContext } from '../../kit/suite';
import { Writer, type WriterOptions } from '../../kit/writer';

export const MEMBERS = 3;
/** What should take seconds is waited for in minutes, so that a slow machine tells its figure, not a failure. */
export const PATIENCE_S = 600;
const DATABASE = 'app';

/** `rw` gives up as an impatient client does; `safe` repeats a statement that fails once. */
export type ClientName = 'rw' | 'safe';

export class Fixture {
  namespace = '';
  cluster!: GaleraUnderTest;
  agent!: AgentUnderTest;
  writer!: Writer;
  private usable = false;
  private readonly namespaces: string[] = [];

  async ready(context: SuiteContext, client: ClientName = 'rw'): Promise<void> {
    if (!this.usable) await this.create(context);
    this.usable = false; // until the run has come to its end
    await this.settled();
    await this.renewWorn();
    if (!(await this.writer.node())) await this.writer.start();
    await this.mark(client);
  }

  /** The kubelet waits longer before each new start of one container; a new Pod begins without that. */
  private async renewWorn(): Promise<void> {
    const worn = (await this.cluster.members()).filter((pod) => restartsOf([pod]) > 0);
    for (const pod of worn) {
      await this.cluster.renew(pod, PATIENCE_S);
      await this.settled();
    }
  }

  async mark(client: ClientName): Promise<void> {
    await this.writer.mark([client]);
    await this.writer.untilWriting(PATIENCE_S);
    await this.writer.mark([client]);
  }

  async settled(): Promise<void> {
    await this.cluster.untilSettled(MEMBERS, PATIENCE_S);
    await this.agent.untilReady(PATIENCE_S);
  }

  /** Whole again, every acknowledged row in its place, and all members alike. */
  async outcome(_context: SuiteContext, client: ClientName = 'rw'): Promise<Sample> {
    await this.writer.untilWriting(PATIENCE_S);
    const seconds = await this.cluster.untilSettled(MEMBERS, PATIENCE_S);
    const { longestGap, errors, lastError } = await this.writer.status(client);
    // They are compared while nobody writes.
    await this.writer.mark([]);
    const { acked, lost } = await this.writer.verify();
    const sums = await this.cluster.checksums(DATABASE);
    if (new Set(sums).size !== 1) throw new Error(`members differ: ${sums.join(', ')}`);
    this.usable = true;
    const note = `whole again after ${seconds.toFixed(1)} s${errors > 0 ? `, last error: ${lastError.split('\n')[0]!}` : ''}`;
    return { value: longestGap, acked, lost, errors, note };
  }

  async writerAwayFrom(node: string, client: ClientName = 'rw'): Promise<void> {
    if ((await this.writer.node()) === node) {
      await this.writer.stop();
      await this.writer.start({ awayFrom: node });
    }
    await this.mark(client);
  }

  /** One more client in a Pod of its own; its rows count like all others. */
  anotherClient(context: SuiteContext): Writer {
    const name = `inside-${randomBytes(3).toString('hex')}`;
    return new Writer(context.api, { ...this.writerOptions(), name, clients: [{ name, host: `${this.cluster.name}-rw` }], onlyThese: true });
  }

  async apply(context: SuiteContext, changes: Pick<GaleraWanted, 'cpu' | 'roles'> = {}): Promise<void> {
    const storageClass = process.env.E2E_STORAGE_CLASS ?? (await context.api.defaultStorageClass()) ?? '';
    await context.api.apply(this.manifests(changes, storageClass), this.namespace);
  }

  manifests(changes: Pick<GaleraWanted, 'cpu' | 'roles'> = {}, storageClass = ''): Obj[] {
    return galeraCluster({ namespace: this.namespace, name: this.cluster.name, storageClass, ...changes });
  }

  async diagnosis(): Promise<string> {
    if (!this.cluster) return '';
    const [cluster, agent] = await Promise.all([this.cluster.diagnosis(), this.agent.diagnosis(this.cluster.name)]);
    return `${cluster}\n${agent}`;
  }

  async remove(context: SuiteContext): Promise<void> {
    await Promise.all(this.namespaces.splice(0).map((name) => context.api.deleteNamespace(name)));
    this.usable = false;
  }

  private async create(context: SuiteContext): Promise<void> {
    await this.remove(context);
    const id = randomBytes(3).toString('hex');
    this.namespace = `galera-e2e-${id}`;
    this.namespaces.push(this.namespace);
    await context.api.createNamespace(this.namespace);
    // A name of its own, so that a drain finds these Pods and no others.
    const name = `my-${id}`;
    this.cluster = new GaleraUnderTest(context.api, this.namespace, name);
    this.agent = new AgentUnderTest(context.api, this.namespace);
    this.writer = new Writer(context.api, this.writerOptions());
    await this.apply(context);
  }

  private writerOptions(): WriterOptions {
    const { namespace, cluster: { name } } = this;
    const clients = [{ name: 'safe', host: `${name}-rw`, retrySafe: true }];
    return { engine: 'mysql', namespace, cluster: name, secret: `${name}-app`, clients };
  }
}
