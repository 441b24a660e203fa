/** Finds the clusters of the namespace by their contracts and keeps one set of loops for each. */
import { FailoverLoop, type FailoverReport } from './failover-loop.js';
import type { Hands } from './execute/executor.js';
import type { Log } from './log.js';
import { readContract, type ContractReading } from './model/contract.js';
import type { ClusterIdentity, Stores } from './observe/failover-view.js';
import { Store } from './observe/store.js';
import type { Clock } from './ports/clock.js';
import type { Kube, KubeObject } from './ports/kube.js';
import type { Network } from './ports/network.js';
import type { Patroni } from './ports/patroni.js';
import { COMPONENT, LABEL } from '../../src/contract/labels.js';

export interface Ports {
  readonly kube: Kube;
  readonly network: Network;
  readonly patroni: Patroni;
  readonly clock: Clock;
}

interface Cluster {
  reading: ContractReading;
  readonly failover: FailoverLoop;
  readonly stop: AbortController;
}

const MEMBERS = `${LABEL.component}=${COMPONENT.member}`;

export class Agent {
  private readonly clusters = new Map<string, Cluster>();
  private readonly stores: Stores & { readonly contracts: Store };
  private readonly hands: Hands;

  constructor(private readonly ports: Ports, private readonly log: Log) {
    const nudge = (object: KubeObject) => this.clusters.get(object.metadata.labels?.[LABEL.cluster] ?? '')?.failover.nudge();
    this.stores = {
      contracts: new Store({ resource: 'configmaps', labelSelector: LABEL.contract }, (object, present) => this.contract(object, present)),
      pods: new Store({ resource: 'pods', labelSelector: MEMBERS }, nudge),
      dcs: new Store({ resource: 'configmaps', labelSelector: MEMBERS }, nudge),
    };
    const pods = (cluster: string) => this.stores.pods.all().filter((pod) => pod.metadata.labels?.[LABEL.cluster] === cluster);
    this.hands = { ...ports, log, pods };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { contracts, pods, dcs } = this.stores;
    signal.addEventListener('abort', () => this.clusters.forEach((cluster) => cluster.stop.abort()), { once: true });
    await Promise.all([contracts, pods, dcs].map((store) => store.run(this.ports.kube, signal)));
  }

  private contract(object: KubeObject, present: boolean): void {
    const name = object.metadata.labels?.[LABEL.cluster] ?? object.metadata.name.replace(/-contract$/, '');
    if (!present) return this.forget(name);
    const reading = readContract(object);
    if (!reading.ok) this.log.error('contract refused', { cluster: name, problem: reading.problem });
    const known = this.clusters.get(name);
    if (known) {
      known.reading = reading;
      known.failover.nudge();
    } else {
      this.adopt(name, reading);
    }
  }

  private adopt(name: string, reading: ContractReading): void {
    const stop = new AbortController();
    const log = this.log.with({ cluster: name });
    const failover = new FailoverLoop({
      stores: this.stores,
      hands: { ...this.hands, log },
      identity: () => this.identity(name),
      log,
      report: (report) => this.report(name, report),
    });
    const cluster: Cluster = { reading, failover, stop };
    this.clusters.set(name, cluster);
    log.info('cluster found');
    void failover.run(stop.signal);
  }

  private forget(name: string): void {
    this.clusters.get(name)?.stop.abort();
    this.clusters.delete(name);
  }

  private identity(name: string): ClusterIdentity {
    const reading = this.clusters.get(name)?.reading;
    const members = reading?.ok ? reading.document.members.filter((member) => member.promotable) : [];
    return { cluster: name, promotable: members.map((member) => member.pod) };
  }

  private report(_name: string, _report: FailoverReport): void {
    // Status and Events come here.
  }
}
