/** The Galera clusters of the namespace, each with its loop. */
import { GaleraLoop } from './galera-loop.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';
import { readGaleraContract, type GaleraReading } from './model/galera/contract.js';
import type { GaleraHealth } from './model/galera/status.js';
import type { DecisionRecord } from './model/status.js';
import type { GaleraStores } from './observe/galera/view.js';
import type { Clock } from './ports/clock.js';
import type { GaleraMembers } from './ports/galera-members.js';
import type { Kube, KubeObject } from './ports/kube.js';
import type { Network } from './ports/network.js';
import { secretValue } from './secret-value.js';
import { reasonOf, StatusWriter } from './status-writer.js';
import { GALERA_API_KEY } from '../../src/contract/galera.js';

export interface GaleraPorts {
  readonly kube: Kube;
  readonly network: Network;
  readonly members: GaleraMembers;
  readonly clock: Clock;
}

export interface GaleraClustersOptions {
  readonly ports: GaleraPorts;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly namespace: string;
  readonly holdsLease: () => boolean;
  readonly stores: GaleraStores;
  /** Of all engines. */
  readonly clusters: () => number;
}

interface Cluster {
  reading: GaleraReading;
  contract: KubeObject;
  health: GaleraHealth | undefined;
  problem: string | undefined;
  readonly loop: GaleraLoop;
  readonly writer: StatusWriter;
  readonly stop: AbortController;
}

export class GaleraClusters {
  private readonly clusters = new Map<string, Cluster>();

  constructor(private readonly options: GaleraClustersOptions) {}

  get size(): number {
    return this.clusters.size;
  }

  has(name: string): boolean {
    return this.clusters.has(name);
  }

  nudge(name: string): void {
    this.clusters.get(name)?.loop.nudge();
  }

  nudgeAll(): void {
    this.clusters.forEach(({ loop }) => loop.nudge());
  }

  stop(): void {
    this.clusters.forEach(({ stop }) => stop.abort());
  }

  /** Clusters that are not healthy, with the reason. */
  unwell(): string[] {
    return [...this.clusters].flatMap(([name, { health, problem }]) => {
      if (problem) return [`${name}: contract refused, ${problem}`];
      return health?.phase === 'Healthy' ? [] : [`${name}: ${health?.why ?? 'not looked at yet'}`];
    });
  }

  contract(name: string, object: KubeObject): void {
    const reading = readGaleraContract(object);
    const cluster = this.clusters.get(name) ?? this.adopt(name, object, reading);
    cluster.reading = reading;
    cluster.contract = object;
    cluster.loop.nudge();
  }

  forget(name: string): void {
    this.clusters.get(name)?.stop.abort();
    this.clusters.delete(name);
  }

  private adopt(name: string, contract: KubeObject, reading: GaleraReading): Cluster {
    const { ports: { kube, network, members, clock }, stores, holdsLease, clusters } = this.options;
    const log = this.options.log.with({ cluster: name });
    const writer = new StatusWriter({ kube, clock, log }, name);
    const key = secretValue(kube, () => {
      const { reading: now } = cluster;
      return now.ok ? { secret: now.document.agentLogin.secret, key: GALERA_API_KEY } : undefined;
    });
    const loop = new GaleraLoop({
      stores, network, writer, holdsLease, log, clusters,
      hands: { kube, members, clock, log, key },
      reading: () => cluster.reading,
      decided: (rule) => this.options.metrics.add('everest_agent_decisions_total', { cluster: name, rule }),
      told: (record) => this.told(name, cluster, record),
      judged: (health, problem) => this.judged(name, cluster, health, problem),
    });
    const stop = new AbortController();
    const cluster: Cluster = { reading, contract, health: undefined, problem: undefined, loop, writer, stop };
    this.clusters.set(name, cluster);
    log.info('Galera cluster found');
    void loop.run(stop.signal);
    return cluster;
  }

  private told(name: string, { writer, contract }: Cluster, record: DecisionRecord): void {
    const labels = { cluster: name, action: record.action ?? '', done: String(record.done) };
    this.options.metrics.add('everest_agent_actions_total', labels);
    const message = record.detail ? `${record.because} ${record.detail}` : record.because;
    const text = { reason: reasonOf(record.ruleId), message, warning: record.done === false };
    void writer.event(contract, text, this.options.namespace);
  }

  private judged(name: string, cluster: Cluster, health: GaleraHealth | undefined, problem: string | undefined): void {
    const { metrics } = this.options;
    if (problem !== undefined && problem !== cluster.problem) this.refused(name, cluster, problem);
    cluster.health = health;
    cluster.problem = problem;
    metrics.set('everest_cluster_healthy', { cluster: name }, Number(health?.phase === 'Healthy'));
    metrics.set('everest_cluster_highly_available', { cluster: name }, Number(health?.highlyAvailable === true));
    for (const { name: member, synced } of health?.members ?? []) {
      metrics.set('everest_member_up', { cluster: name, member }, Number(synced));
    }
  }

  private refused(name: string, cluster: Cluster, problem: string): void {
    this.options.log.error('contract refused', { cluster: name, problem });
    this.told(name, cluster, { at: '', ruleId: 'contract-refused', because: `The contract is refused: ${problem}`, done: false });
  }
}
