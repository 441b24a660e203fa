/** Finds the clusters of the namespace by their contracts and keeps one set of loops for each. */
import { ArchiveLoop } from './archive-loop.js';
import { setBackupMetrics } from './backup-metrics.js';
import type { Health } from './decide/health.js';
import type { Hands } from './execute/executor.js';
import { FailoverLoop, type FailoverReport } from './failover-loop.js';
import { GaleraClusters } from './galera-clusters.js';
import { Heartbeats } from './heartbeats.js';
import type { Log } from './log.js';
import { MemberSql } from './member-sql.js';
import type { Metrics } from './metrics.js';
import { readArchiveStatus, readBackupStatus } from './model/backup-status.js';
import { readContract, type ContractReading } from './model/contract.js';
import { readDrillStatus } from './model/drill-status.js';
import { isGaleraContract } from './model/galera/contract.js';
import type { DecisionRecord } from './model/status.js';
import type { ClusterIdentity, Stores } from './observe/failover-view.js';
import { clusterOf, Store } from './observe/store.js';
import { OperationsLoop } from './operations-loop.js';
import type { Clock } from './ports/clock.js';
import type { GaleraMembers } from './ports/galera-members.js';
import type { Kube, KubeObject } from './ports/kube.js';
import type { Network } from './ports/network.js';
import type { Patroni } from './ports/patroni.js';
import type { Sql } from './ports/sql.js';
import { RolesLoop } from './roles-loop.js';
import { reasonOf, StatusWriter } from './status-writer.js';
import { COMPONENT, LABEL, SWITCHOVER_ANNOTATION } from '../../src/contract/labels.js';
import { statusName } from '../../src/contract/names.js';

export interface Ports {
  readonly kube: Kube;
  readonly network: Network;
  readonly patroni: Patroni;
  readonly members: GaleraMembers;
  readonly sql: Sql;
  readonly clock: Clock;
}

export interface AgentOptions {
  readonly ports: Ports;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Only clusters that name it are its own. */
  readonly name: string;
  readonly namespace: string;
  readonly holdsLease: () => boolean;
  /** Nodes are read only where a person has given the right. */
  readonly watchNodes?: boolean;
}

interface Cluster {
  reading: ContractReading;
  contract: KubeObject;
  health: Health | undefined;
  problem: string | undefined;
  archiveNews: string | undefined;
  readonly failover: FailoverLoop;
  readonly operations: OperationsLoop;
  readonly roles: RolesLoop;
  readonly archive: ArchiveLoop;
  readonly writer: StatusWriter;
  readonly stop: AbortController;
}

const MEMBERS = `${LABEL.component}=${COMPONENT.member}`;
const STATUSES = `${LABEL.component}=${COMPONENT.status}`;
const POOLERS = `${LABEL.component}=${COMPONENT.pooler}`;

export class Agent {
  private readonly clusters = new Map<string, Cluster>();
  private readonly stores: Stores & Readonly<Record<'contracts' | 'poolers' | 'requests' | 'statefulSets', Store>>
    & { readonly nodes?: Store };
  private readonly hands: Omit<Hands, 'sql'>;
  private readonly galera: GaleraClusters;
  private readonly heartbeats: Heartbeats;

  constructor(private readonly options: AgentOptions) {
    const failover = (object: KubeObject) => this.of(object)?.failover.nudge();
    const both = (object: KubeObject) => {
      failover(object);
      this.of(object)?.operations.nudge();
      this.galera.nudge(clusterOf(object));
    };
    this.stores = {
      contracts: new Store({ resource: 'configmaps', labelSelector: `${LABEL.contract},${LABEL.agent}=${options.name}` }, (object, present) => this.contract(object, present)),
      pods: new Store({ resource: 'pods', labelSelector: MEMBERS }, both),
      requests: new Store({ resource: 'configmaps', labelSelector: STATUSES }, (object) => this.requested(object)),
      ...(options.watchNodes ? { nodes: new Store({ resource: 'nodes', labelSelector: '' }, () => this.nudge()) } : {}),
      // They are only looked up when they are needed.
      poolers: new Store({ resource: 'pods', labelSelector: POOLERS }, () => undefined),
      dcs: new Store({ resource: 'configmaps', labelSelector: MEMBERS }, (object, _, before) => {
        this.of(object)?.failover.noted(object, before);
        this.of(object)?.archive.noted(object);
      }),
      statefulSets: new Store({ resource: 'statefulsets', labelSelector: MEMBERS }, (object) => {
        this.of(object)?.operations.nudge();
        this.galera.nudge(clusterOf(object));
      }),
    };
    const pods: Hands['pods'] = (cluster, component = COMPONENT.member) => {
      const store = component === COMPONENT.pooler ? this.stores.poolers : this.stores.pods;
      return store.of(cluster);
    };
    const { kube, network, patroni, clock } = options.ports;
    this.galera = new GaleraClusters({
      ...options, stores: this.stores, clusters: () => this.clusters.size + this.galera.size,
    });
    this.heartbeats = new Heartbeats(options.ports);
    this.hands = { kube, network, patroni, clock, log: options.log, pods };
  }

  async run(signal: AbortSignal): Promise<void> {
    const stores = Object.values(this.stores);
    signal.addEventListener('abort', () => {
      this.clusters.forEach((cluster) => cluster.stop.abort());
      this.galera.stop();
    }, { once: true });
    await Promise.all([
      ...stores.map((store) => store.run(this.options.ports.kube, signal)),
      this.heartbeats.run(signal),
    ]);
  }

  /** The Lease came or went. */
  nudge(): void {
    this.clusters.forEach((cluster) => {
      cluster.operations.nudge();
      cluster.roles.nudge();
      cluster.archive.nudge();
    });
    this.galera.nudgeAll();
  }

  /** Clusters that are not healthy, with the reason. */
  unwell(): string[] {
    const stores = Object.values(this.stores).filter((store) => !store.current);
    const watches = stores.map((store) => `watch on ${store.resource}: ${store.trouble?.message ?? 'not listed yet'}`);
    const clusters = [...this.clusters].flatMap(([name, { health, problem }]) => {
      if (problem) return [`${name}: contract refused, ${problem}`];
      return health?.phase === 'Healthy' ? [] : [`${name}: ${health?.why ?? 'not looked at yet'}`];
    });
    return [...watches, ...clusters, ...this.galera.unwell()];
  }

  /** Of the agent's own writes only those about the archive are news: the health follows from them. */
  private requested(object: KubeObject): void {
    this.galera.nudge(clusterOf(object));
    const cluster = this.of(object);
    if (!cluster) return;
    // Without a storage what is still written there is about the past.
    const kept = cluster.reading.ok && cluster.reading.document.backup ? object : undefined;
    const archive = readArchiveStatus(kept);
    const documents = { archive, backup: readBackupStatus(kept), drill: readDrillStatus(kept) };
    setBackupMetrics(this.options.metrics, object.metadata.labels![LABEL.cluster]!, documents);
    const news = archive && `${archive.state} ${archive.failure?.kind}`;
    const isNews = news !== cluster.archiveNews;
    cluster.archiveNews = news;
    if (isNews || object.metadata.annotations?.[SWITCHOVER_ANNOTATION] !== undefined) cluster.operations.nudge();
  }

  private of(object: KubeObject): Cluster | undefined {
    return this.clusters.get(clusterOf(object));
  }

  private contract(object: KubeObject, present: boolean): void {
    const name = object.metadata.labels?.[LABEL.cluster] ?? object.metadata.name.replace(/-contract$/, '');
    if (!present) return this.forget(name);
    // A cluster that a loop runs for stays with its engine: another one in its contract is refused there.
    if (this.galera.has(name) || (!this.clusters.has(name) && isGaleraContract(object))) {
      this.galera.contract(name, object);
      return;
    }
    const reading = readContract(object);
    const known = this.clusters.get(name) ?? this.adopt(name, object, reading);
    known.reading = reading;
    known.contract = object;
    const status = this.stores.requests.get(statusName(name));
    if (status) this.requested(status);
    if (!reading.ok) this.refuse(name, known, reading.problem);
    known.failover.nudge();
    known.operations.nudge();
    known.roles.nudge();
    known.archive.nudge();
  }

  private refuse(name: string, cluster: Cluster, problem: string): void {
    if (cluster.problem === problem) return;
    cluster.problem = problem;
    this.options.log.error('contract refused', { cluster: name, problem });
    this.event(cluster, { at: '', ruleId: 'contract-refused', because: `The contract is refused: ${problem}`, done: false });
  }

  private adopt(name: string, contract: KubeObject, reading: ContractReading): Cluster {
    const { ports, holdsLease } = this.options;
    const log = this.options.log.with({ cluster: name });
    const sql = new MemberSql(ports, () => (cluster.reading.ok ? cluster.reading.document.agentLogin : undefined));
    const hands = { ...this.hands, log, sql };
    const writer = new StatusWriter({ kube: ports.kube, clock: ports.clock, log }, name);
    const stop = new AbortController();
    const clusters = () => this.clusters.size + this.galera.size;
    const failover = new FailoverLoop({
      stores: this.stores, hands, log, holdsLease, heartbeats: this.heartbeats,
      identity: () => this.identity(name),
      report: (report) => this.failedOver(name, report),
      lacks: (problem) => cluster.operations.lacks(problem),
    });
    const operations = new OperationsLoop({
      stores: this.stores, hands, writer, holdsLease, log,
      reading: () => cluster.reading,
      told: (record) => this.told(name, cluster, record),
      judged: (health, problem) => this.judged(name, cluster, health, problem),
    });
    const roles = new RolesLoop({
      stores: this.stores, hands, writer, holdsLease, log, clusters,
      reading: () => cluster.reading,
      told: (record) => this.told(name, cluster, record),
      lacks: (problem) => cluster.operations.lacks(problem),
    });
    const archive = new ArchiveLoop({
      stores: this.stores, hands, writer, holdsLease, log,
      reading: () => cluster.reading,
      told: (record) => this.told(name, cluster, record),
      lacks: (problem) => cluster.operations.lacks(problem),
    });
    const unknown = { health: undefined, problem: undefined, archiveNews: undefined };
    const cluster: Cluster = { reading, contract, ...unknown, failover, operations, roles, archive, writer, stop };
    this.clusters.set(name, cluster);
    log.info('cluster found');
    void failover.run(stop.signal);
    void operations.run(stop.signal);
    void roles.run(stop.signal);
    void archive.run(stop.signal);
    return cluster;
  }

  private forget(name: string): void {
    this.clusters.get(name)?.stop.abort();
    this.clusters.delete(name);
    this.galera.forget(name);
    this.options.metrics.forget(name);
    this.options.log.info('cluster gone', { cluster: name });
  }

  private identity(name: string): ClusterIdentity | undefined {
    const reading = this.clusters.get(name)?.reading;
    if (!reading?.ok) return undefined;
    const { members, preferAvailability } = reading.document;
    const promotable = members.filter((member) => member.promotable).map((member) => member.pod);
    return { cluster: name, promotable, preferAvailability };
  }

  private failedOver(name: string, { decision, outcome, action }: FailoverReport): void {
    const cluster = this.clusters.get(name);
    this.options.metrics.add('everest_agent_decisions_total', { cluster: name, rule: decision.ruleId });
    if (!cluster || !outcome || !action) return;
    const record = {
      at: this.options.ports.clock.wall().toISOString(),
      ruleId: decision.ruleId, because: decision.because, action, done: outcome.done, detail: outcome.detail,
    };
    cluster.operations.note(record);
    this.told(name, cluster, record);
  }

  private told(name: string, cluster: Cluster, record: DecisionRecord): void {
    this.options.metrics.add('everest_agent_actions_total', { cluster: name, action: record.action ?? '', done: String(record.done) });
    this.event(cluster, record);
  }

  private event(cluster: Cluster, record: DecisionRecord): void {
    const message = record.detail ? `${record.because} ${record.detail}` : record.because;
    const text = { reason: reasonOf(record.ruleId), message, warning: record.done === false };
    void cluster.writer.event(cluster.contract, text, this.options.namespace);
  }

  private judged(name: string, cluster: Cluster, health: Health | undefined, problem: string | undefined): void {
    const { metrics } = this.options;
    cluster.health = health;
    cluster.problem = problem;
    metrics.set('everest_cluster_healthy', { cluster: name }, Number(health?.phase === 'Healthy'));
    metrics.set('everest_cluster_highly_available', { cluster: name }, Number(health?.highlyAvailable === true));
    for (const { name: member, role, streaming, lagBytes } of health?.members ?? []) {
      metrics.set('everest_member_up', { cluster: name, member }, Number(role === 'primary' || streaming));
      if (lagBytes !== undefined) metrics.set('everest_member_lag_bytes', { cluster: name, member }, lagBytes);
    }
  }
}
