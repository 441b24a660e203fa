/** A cluster with agent, pooler and writer, made once and brought back into its best state before each run. */
import { randomBytes } from 'node:crypto';
import type { V1Pod } from '@kubernetes/client-node';
import { AgentUnderTest } from '../../kit/agent';
import type { Obj } from '../../kit/cluster-api';
import type { ClusterWanted } from '../../kit/constructs';
import { assistedCluster } from '../../kit/constructs';
import { storageObjects } from '../../kit/object-storage';
import { PostgresUnderTest, nameOf, nodeOf, restartsOf, roleOf } from '../../kit/postgres';
import type { Sample, SuiteContext } from '../../kit/suite';
import { waitFor } from '../../kit/wait';
import type { ClientStatus } from '../../kit/writer';
import { Writer } from '../../kit/writer';

export const MEMBERS = 3;
/** What should take seconds is waited for in minutes, so that a slow machine tells its figure, not a failure. */
export const PATIENCE_S = 180;

/**
 * Shorter than the grace of a pooler's Pod: a client that never lets go of its connection would fail at each drain of
 * the node where its pooler runs, whatever the database does.
 */
const POOLED_LIFETIME_MS = 20_000;

export type Changes = Partial<Pick<ClusterWanted, 'cpu' | 'parameters' | 'instances' | 'image'>>;
/**
 * `rw` holds one connection to the Service and gives up quickly, `calm` does so too and rests for 0.1 s before it
 * connects anew, `holder` never gives up, `fresh` connects for each
 * row, `pooled` goes through PgBouncer, never gives up, and renews its connection now and then as pools do.
 */
export type ClientName = 'rw' | 'calm' | 'holder' | 'fresh' | 'pooled';

export interface Outcome extends Sample {
  readonly clients: Readonly<Record<string, ClientStatus>>;
}

interface FixtureOptions extends Partial<Pick<ClusterWanted, 'asynchronous' | 'preferAvailability'>> {
  readonly suffix: string;
  /** The write-ahead log is archived, to a bucket of the cluster's own. */
  readonly archived?: boolean;
}

export class Fixture {
  namespace = '';
  cluster!: PostgresUnderTest;
  agent!: AgentUnderTest;
  writer!: Writer;
  private readonly namespaces: string[] = [];
  private usable = false;
  private clients: readonly ClientName[] = ['rw'];

  constructor(private readonly options: FixtureOptions) {}

  /** All members stream, the agent is Ready, the clients write, and their windows start now. */
  async ready(context: SuiteContext, clients: readonly ClientName[] = ['rw']): Promise<void> {
    if (!this.usable) await this.create(context);
    this.usable = false; // until the run has come to its end
    await this.settled();
    await this.renewPrimary(context);
    if (!(await this.writer.node())) await this.writer.start();
    await this.mark(clients);
  }

  async mark(clients: readonly ClientName[] = this.clients): Promise<void> {
    this.clients = clients;
    await this.writer.mark(clients);
    await this.writer.untilWriting(PATIENCE_S);
    await this.writer.mark(clients);
  }

  async settled(members = MEMBERS): Promise<void> {
    await this.cluster.hurryToSettle(members, PATIENCE_S);
    await this.agent.untilReady(PATIENCE_S);
  }

  /** Writing again, whole again, every acknowledged row in its place. `client` is the one whose gap is the result. */
  async outcome(context: SuiteContext, client: ClientName = 'rw'): Promise<Outcome> {
    const start = performance.now();
    await this.writer.untilWriting(PATIENCE_S);
    await this.renewStandbys(context);
    await this.settled();
    const whole = `whole again after ${((performance.now() - start) / 1000).toFixed(1)} s`;
    const clients = await this.writer.statuses();
    const { acked, lost } = await this.writer.verify();
    this.usable = true;
    const { longestGap, errors, lastError } = clients[client]!;
    const note = errors > 0 ? `${whole}, last error: ${lastError.split('\n')[0]!}` : whole;
    return { value: longestGap, acked, lost, errors, clients, note };
  }

  /** The writer must not be on a node that is about to be taken away. */
  async writerAwayFrom(node: string): Promise<void> {
    if ((await this.writer.node()) === node) {
      await this.writer.stop();
      await this.writer.start({ awayFrom: node });
    }
    await this.mark();
  }

  /** A drain can leave two members on one node; a node that is lost must take one of them only. */
  async spread(context: SuiteContext): Promise<void> {
    const members = (await this.cluster.members()).sort((one, other) => Number(roleOf(other) === 'primary') - Number(roleOf(one) === 'primary'));
    const taken = new Set<string>();
    const seconds = members.filter((pod) => taken.size === taken.add(nodeOf(pod)).size);
    await this.replace(context, seconds);
    if (seconds.length > 0) await this.settled();
  }

  /** Moves the primary to a node for which `fits` holds; gives the node. */
  async primaryWhere(fits: (node: string) => boolean): Promise<string> {
    const primary = await this.cluster.primary();
    if (fits(nodeOf(primary))) return nodeOf(primary);
    const candidate = (await this.cluster.members()).find((pod) => fits(nodeOf(pod)));
    if (!candidate) throw new Error('no member runs on a node that would do');
    await this.agent.switchover(this.cluster, candidate);
    await this.settled();
    return nodeOf(candidate);
  }

  /** Whoever held the lock for faults before us may have shaken this cluster too. */
  async afterOthers(primaryNode: string): Promise<void> {
    await this.settled();
    const node = nodeOf(await this.cluster.primary());
    if (node !== primaryNode) throw new Error(`the primary has moved from ${primaryNode} to ${node} by somebody else's fault`);
    await this.mark();
  }

  async apply(context: SuiteContext, changes: Changes): Promise<void> {
    await context.api.apply(this.manifests(changes, await storageClass(context)), this.namespace);
  }

  manifests(changes: Changes = {}, storage = ''): Obj[] {
    const { namespace, cluster: { name }, options: { asynchronous = false, preferAvailability = false } } = this;
    const wanted = { namespace, name, storageClass: storage, asynchronous, preferAvailability };
    return assistedCluster({ ...wanted, ...(this.options.archived ? { bucket: name } : {}), ...changes });
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
    this.namespace = `failover-${this.options.suffix}-${id}`;
    this.namespaces.push(this.namespace);
    await context.api.createNamespace(this.namespace);
    // A name of its own, so that a drain finds these Pods and no others.
    const name = `pg-${id}`;
    this.cluster = new PostgresUnderTest(context.api, this.namespace, name);
    this.agent = new AgentUnderTest(context.api, this.namespace);
    this.writer = new Writer(context.api, {
      namespace: this.namespace, cluster: name, secret: `${name}-app`,
      clients: [
        { name: 'calm', host: `${name}-rw`, retryMs: 100 },
        { name: 'holder', host: `${name}-rw`, everyMs: 20, patient: true },
        { name: 'fresh', host: `${name}-rw`, everyMs: 75, fresh: true },
        { name: 'pooled', host: `${name}-pooler-rw`, patient: true, lifetimeMs: POOLED_LIFETIME_MS },
      ],
    });
    if (this.options.archived) {
      await context.api.apply(storageObjects(await context.faults.bucket(name)), this.namespace);
    }
    await this.apply(context, {});
  }

  /**
   * The kubelet lets a container that has restarted wait 10 s and more before the next start. A new Pod makes the runs
   * alike; a standby's costs no change of the primary.
   */
  private async renewStandbys(context: SuiteContext): Promise<void> {
    const worn = (await this.cluster.members()).filter((pod) => restartsOf([pod]) > 0 && roleOf(pod) !== 'primary');
    await this.replace(context, worn);
  }

  private async renewPrimary(context: SuiteContext): Promise<void> {
    const primary = await this.cluster.primary();
    if (restartsOf([primary]) === 0) return;
    await this.agent.switchover(this.cluster);
    await this.replace(context, [primary]);
    await this.settled();
  }

  private async replace(context: SuiteContext, pods: readonly V1Pod[]): Promise<void> {
    if (pods.length === 0) return;
    await context.api.delete(pods.map(podObject), this.namespace);
    await this.untilReplaced(pods);
  }

  /** Until none of these Pods is there any more and as many others are. */
  async untilReplaced(pods: readonly V1Pod[]): Promise<void> {
    const old = new Set(pods.map((pod) => pod.metadata?.uid));
    await waitFor({ what: `${pods.map(nameOf).join(', ')} to be replaced`, seconds: 2 * PATIENCE_S }, async () => {
      const left = (await this.cluster.members()).filter((pod) => old.has(pod.metadata?.uid));
      return left.length > 0 ? `${left.map(nameOf).join(', ')} are there` : undefined;
    });
  }
}

export function podObject(pod: V1Pod): Obj {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: nameOf(pod) } };
}

async function storageClass({ api }: SuiteContext): Promise<string> {
  return process.env.E2E_STORAGE_CLASS ?? (await api.defaultStorageClass()) ?? '';
}
