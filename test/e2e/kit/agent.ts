/** The agent under test, seen from outside: its Pods, its Lease, what it says about a cluster. */
import type { V1Pod } from '@kubernetes/client-node';
import type { ClusterApi, Obj } from './cluster-api';
import { isReady } from './cluster-api';
import type { PostgresUnderTest } from './postgres';
import { nameOf } from './postgres';
import { waitFor } from './wait';

const NAME = 'everest-agent';
const REPLICAS = 2;
const SWITCHOVER = 'everest.io/switchover';
const STATUS_KEY = 'status.json';
const MEMORY_KEY = 'memory.json';

type StatusMap = Obj & { readonly data?: Readonly<Record<string, string>> };

export class AgentUnderTest {
  constructor(private readonly api: ClusterApi, readonly namespace: string) {}

  async pods(): Promise<V1Pod[]> {
    return this.api.pods(this.namespace, `app.kubernetes.io/name=${NAME}`);
  }

  /** The Pod that does the planned work. */
  async leaseHolder(): Promise<V1Pod> {
    const lease = await this.api.read<Obj & { spec?: { holderIdentity?: string } }>(
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: NAME } }, this.namespace);
    const holder = (await this.pods()).find((pod) => nameOf(pod) === lease?.spec?.holderIdentity);
    if (!holder) throw new Error(`the Lease names ${lease?.spec?.holderIdentity ?? 'nobody'}, which is no Pod of the agent`);
    return holder;
  }

  /** Ready says that every cluster of the namespace is healthy, in the agent's eyes. */
  async untilReady(seconds: number): Promise<number> {
    return waitFor({ what: 'the agent to be Ready and to hold its Lease', seconds }, async () => {
      const pods = await this.pods();
      if (pods.filter(isReady).length !== REPLICAS || pods.length !== REPLICAS) return `${pods.filter(isReady).length} of ${pods.length} Pods are Ready`;
      return isReady(await this.leaseHolder()) ? undefined : 'the holder is not Ready';
    });
  }

  /** As a person asks for it: by an annotation on the status document. `any` lets the agent choose. */
  async switchover(cluster: PostgresUnderTest, to?: V1Pod): Promise<void> {
    const before = nameOf(await cluster.primary());
    const wanted = to ? nameOf(to) : 'any';
    await this.request(cluster.name, wanted);
    await waitFor({ what: `a switchover from ${before} to ${wanted}`, seconds: 60 }, async () => {
      const status = await this.status(cluster.name);
      if (status?.metadata.annotations?.[SWITCHOVER]) return 'the agent has not taken the request';
      return nameOf(await cluster.primary()) === before ? `the agent says: ${answerIn(status)}` : undefined;
    });
  }

  async request(cluster: string, wanted: string): Promise<void> {
    await this.api.merge(statusOf(cluster), this.namespace, { metadata: { annotations: { [SWITCHOVER]: wanted } } });
  }

  /** What it says that it does or waits for. */
  async untilDoing(cluster: string, ruleId: string, seconds: number): Promise<void> {
    await waitFor({ what: `the agent to say ${ruleId}`, seconds, everyMs: 500 }, async () => {
      const { doing } = await this.document<{ doing?: { ruleId: string } }>(cluster, STATUS_KEY);
      return doing?.ruleId === ruleId ? undefined : `it says ${doing?.ruleId ?? 'nothing'}`;
    });
  }

  /** It has written down that it holds the clients of poolers. */
  async hasPaused(cluster: string): Promise<boolean> {
    return (await this.document<{ poolersPaused?: boolean }>(cluster, MEMORY_KEY)).poolersPaused === true;
  }

  /** Whether this rule has led to something lately. */
  async hasDecided(cluster: string, ruleId: string): Promise<boolean> {
    type Decisions = { decisions?: Array<{ ruleId: string; done: boolean }> };
    const { decisions = [] } = await this.document<Decisions>(cluster, STATUS_KEY);
    return decisions.some((decision) => decision.ruleId === ruleId && decision.done);
  }

  async scale(replicas: number): Promise<void> {
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: NAME } } as Obj;
    await this.api.merge(deployment, this.namespace, { spec: { replicas } });
    if (replicas > 0) return;
    await this.api.delete(await this.objects(), this.namespace, 0);
    await waitFor({ what: 'the agent to be gone', seconds: 60 }, async () => `${(await this.pods()).length || ''}` || undefined);
  }

  async diagnosis(cluster: string): Promise<string> {
    const status = await this.status(cluster);
    const logs = await Promise.all((await this.pods()).map(async (pod) => `${nameOf(pod)}:\n${await this.api.logs(this.namespace, nameOf(pod), 'agent', 25)}`));
    return [status?.data?.[STATUS_KEY] ?? 'no status', ...logs].join('\n');
  }

  private async document<T extends object>(cluster: string, key: string): Promise<Partial<T>> {
    return JSON.parse((await this.status(cluster))?.data?.[key] ?? '{}') as Partial<T>;
  }

  private async status(cluster: string): Promise<StatusMap | undefined> {
    return this.api.read<StatusMap>(statusOf(cluster), this.namespace);
  }

  private async objects(): Promise<Obj[]> {
    return (await this.pods()).map((pod) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: nameOf(pod) } }) as Obj);
  }
}

function statusOf(cluster: string): Obj {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${cluster}-status` } };
}

function answerIn(status: StatusMap | undefined): string {
  const { lastRequest } = JSON.parse(status?.data?.[STATUS_KEY] ?? '{}') as { lastRequest?: unknown };
  return JSON.stringify(lastRequest ?? 'nothing yet');
}
