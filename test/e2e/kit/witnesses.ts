/**
 * Writers on every node that try every member, each 100 ms: whoever takes a row is a primary, on either side of a cut.
 */
import { randomBytes } from 'node:crypto';
import type { ClusterApi } from './cluster-api';
import type { PostgresUnderTest } from './postgres';
import { nameOf } from './postgres';
import type { ServerSeen } from './primaries';
import { twoPrimaries } from './primaries';
import { Writer } from './writer';

const EVERY_MS = 100;

export interface Testimony {
  readonly acked: number;
  readonly lost: number;
  readonly seen: readonly ServerSeen[];
  /** Proofs of two primaries at one time. */
  readonly conflicts: readonly string[];
}

export class Witnesses {
  private constructor(private readonly writers: readonly Writer[]) {}

  /** They know members by address, so they serve for one event: a Pod that is made anew gets another one. */
  static async start(api: ClusterApi, cluster: PostgresUnderTest, secret: string): Promise<Witnesses> {
    const members = await cluster.members();
    // Rows of an earlier event are still there, and a witness that only meets those takes none.
    const id = randomBytes(3).toString('hex');
    const nodes = (await api.nodes()).map((node) => node.metadata?.name ?? '?');
    const writers = await Promise.all(nodes.map(async (node) => {
      const clients = members.map((pod) =>
        ({ name: `${node}-${nameOf(pod)}-${id}`, host: pod.status?.podIP ?? '?', everyMs: EVERY_MS, witness: true }));
      const writer = new Writer(api, { namespace: cluster.namespace, cluster: cluster.name, secret, clients, onlyThese: true, name: `witness-${node}` });
      await writer.delete();
      await writer.start({ node });
      return writer;
    }));
    return new Witnesses(writers);
  }

  /** Asked once the fault is healed and the cluster whole again. `others` is what other clients saw meanwhile. */
  async tell(others: readonly ServerSeen[]): Promise<Testimony> {
    const verdicts = await Promise.all(this.writers.map((writer) => writer.verify()));
    const statuses = await Promise.all(this.writers.map((writer) => writer.statuses()));
    const seen = statuses.flatMap((clients) => Object.values(clients).flatMap((client) => client.servers));
    const total = (pick: 'acked' | 'lost') => verdicts.reduce((sum, verdict) => sum + verdict[pick], 0);
    return { acked: total('acked'), lost: total('lost'), seen, conflicts: twoPrimaries([...seen, ...others]) };
  }

  async stop(): Promise<void> {
    await Promise.all(this.writers.map((writer) => writer.delete()));
  }
}
