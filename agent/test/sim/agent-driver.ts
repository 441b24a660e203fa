/** The agent's own look, decision and executors in that world: only ports are simulated, and each call takes time. */
import { STEP_MS, type Member, type World } from './world.js';
import { LABEL } from '../../../src/contract/labels.js';
import { FAILOVER_DEFAULTS, type FailoverMemory } from '../../src/decide/failover-facts.js';
import { decideFailover, NO_MEMORY } from '../../src/decide/failover.js';
import { execute, type Hands } from '../../src/execute/executor.js';
import { Log } from '../../src/log.js';
import { lookAt, type Stores } from '../../src/observe/failover-view.js';
import { Store } from '../../src/observe/store.js';
import { KubeError, type Kube, type KubeObject } from '../../src/ports/kube.js';
import type { Reach } from '../../src/ports/network.js';
import { SqlError, type SqlRow } from '../../src/ports/sql.js';

/** A watch that has heard nothing for this long is known to be broken. */
const WATCH_NOTICED_MS = 20_000;

function podObject(member: Member): KubeObject {
  const labels: Record<string, string> = { [LABEL.cluster]: 'orders', [LABEL.component]: 'member' };
  if (member.label) labels[LABEL.role] = 'primary';
  const started = member.up && member.processIp === member.ip;
  const state = started ? { running: {} } : { waiting: {} };
  return {
    metadata: { name: member.name, uid: member.uid, labels, annotations: { status: '{}' } },
    status: { podIP: member.ip, containerStatuses: [{ name: 'postgres', state }] },
  };
}

const CONFIG: KubeObject = {
  metadata: { name: 'orders-config', annotations: { config: JSON.stringify({ ttl: 30, synchronous_mode: 'quorum' }) } },
};
const FAILOVER: KubeObject = { metadata: { name: 'orders-failover', annotations: {} } };

function dcsObjects(world: World): KubeObject[] {
  const { lease, sync } = world;
  const leader = lease.pod === undefined ? {} : { leader: lease.pod };
  const named = sync.leader === undefined ? {} : { leader: sync.leader };
  const key = { ...named, sync_standby: sync.standbys.join(','), quorum: String(sync.quorum) };
  return [
    { metadata: { name: 'orders-leader', resourceVersion: String(lease.version), annotations: leader } },
    { metadata: { name: 'orders-sync', resourceVersion: String(sync.version), annotations: key } },
    CONFIG,
    FAILOVER,
  ];
}

/** The agent's process has ended in the middle of a call. */
class Died extends Error {}

export class SimulatedAgent {
  private memory: FailoverMemory = NO_MEMORY;
  private cache: { pods: KubeObject[]; dcs: KubeObject[]; atMs: number };
  readonly rules = new Map<string, number>();
  private readonly hands: Hands;
  private readonly stores: Stores;

  constructor(private readonly world: World, private readonly name: string) {
    this.cache = { pods: [], dcs: [], atMs: -Infinity };
    this.stores = { pods: this.store('pods'), dcs: this.store('dcs') };
    this.hands = {
      kube: this.kube(), log: new Log({}, () => undefined),
      network: { probe: async (host, port) => this.probe(host, port), hold: () => ({ close: () => undefined }) },
      patroni: { get: async (host) => this.report(host), send: () => Promise.reject(new Error('not simulated')) },
      sql: { session: async ({ host }, _limitMs, work) => work({ query: async () => [this.letGo(host)] }) },
      clock: { nowMs: () => world.now, wall: () => new Date(0), sleep: async () => undefined, random: () => 0.5 },
      pods: () => this.cache.pods,
    };
  }

  /** The process dies and another one takes its place, between any two calls. */
  forget(): void {
    this.memory = NO_MEMORY;
  }

  async tick(): Promise<void> {
    this.refresh();
    await this.turn().catch((problem: unknown) => {
      if (!(problem instanceof Died)) throw problem;
      this.forget();
    });
  }

  private async turn(): Promise<void> {
    const identity = { cluster: 'orders', promotable: this.world.members.map((member) => member.name), preferAvailability: false };
    const snapshot = await lookAt(this.stores, this.hands, identity, { link: this.link(), memory: this.memory });
    const decision = decideFailover(snapshot, this.memory, FAILOVER_DEFAULTS, this.world.now);
    this.memory = decision.memory;
    this.rules.set(decision.ruleId, (this.rules.get(decision.ruleId) ?? 0) + 1);
    for (const action of decision.actions) {
      if (this.world.random.below(20) === 0) return this.forget();
      const failed = (problem: unknown) => {
        if (problem instanceof Died) throw problem;
        return { done: false, detail: String(problem) };
      };
      const outcome = await execute(this.hands, action).catch(failed);
      this.world.tell(`${this.name} ${decision.ruleId} ${action.kind} ${action.pod}: ${outcome.detail}`);
      if (!outcome.done) return;
    }
  }

  private link(): 'held' | 'broken' {
    const holder = this.world.member(this.world.lease.pod);
    return holder && this.probe(holder.processIp, 8008) === 'answers' && this.world.random.below(30) > 0 ? 'held' : 'broken';
  }

  private refresh(): void {
    const { world } = this;
    if (!world.linked(this.name, 'api')) return;
    this.cache = { pods: world.members.map(podObject), dcs: dcsObjects(world), atMs: world.now };
  }

  private store(which: 'pods' | 'dcs'): Store {
    const agent = this;
    const store = {
      get current() { return agent.world.now - agent.cache.atMs < WATCH_NOTICED_MS; },
      get: (name: string) => agent.cache[which].find((object) => object.metadata.name === name),
      of: () => agent.cache[which],
      read: Store.prototype.read,
    };
    return store as unknown as Store;
  }

  /** Time passes between two calls; now and then the agent itself stands still for long. */
  private pass(): void {
    const { random } = this.world;
    if (random.below(400) === 0) this.world.advance(STEP_MS * random.below(300));
    else if (random.below(3) === 0) this.world.advance(STEP_MS * (1 + random.below(6)));
    else return;
    this.refresh();
  }

  private passOrDie(): void {
    if (this.world.random.below(200) === 0) throw new Died();
    this.pass();
  }

  private probe(host: string, port: number): Reach {
    this.pass();
    const member = this.world.members.find((one) => one.processIp === host || one.ip === host);
    if (!member || !member.nodeUp || member.frozen || !this.world.linked(this.name, member.name)) return 'silent';
    if (!member.up || member.processIp !== host) return member.ip === host ? 'refuses' : 'silent';
    return port === 8008 || member.open ? 'answers' : 'refuses';
  }

  private report(host: string): { status: number; body: string } {
    this.pass();
    const member = this.world.members.find((one) => one.processIp === host);
    if (!member || !this.world.works(member) || !this.world.linked(this.name, member.name)) throw new Error('no answer');
    const body = {
      state: member.open ? 'running' : 'starting', role: member.role === 'primary' ? 'primary' : 'replica', timeline: member.timeline,
      ...(member.streaming ? { replication_state: 'streaming' } : {}), xlog: { received_location: member.log.length },
    };
    return { status: 200, body: JSON.stringify(body) };
  }

  private letGo(host: string): SqlRow {
    this.passOrDie();
    const member = this.world.members.find((one) => one.processIp === host);
    if (!member?.open || !this.world.works(member) || !this.world.linked(this.name, member.name)) {
      throw new SqlError(host, undefined, 'no answer');
    }
    return { free: this.world.isFree(member), position: member.log.length };
  }

  private kube(): Kube {
    const objects = () => [...this.world.members.map(podObject), ...dcsObjects(this.world)];
    const call = (verb: 'get' | 'patch', name: string) => {
      this.passOrDie();
      if (!this.world.linked(this.name, 'api')) throw new KubeError(0, { verb, resource: 'configmaps', name }, 'no answer');
      return objects().find((object) => object.metadata.name === name) ?? (() => { throw new KubeError(404, { verb, resource: 'configmaps', name }, ''); })();
    };
    return {
      get: async (_resource, name) => call('get', name),
      patch: async (_resource, name, body) => {
        const object = call('patch', name);
        this.apply(object, body as PatchBody);
        return object;
      },
      create: () => Promise.reject(new Error('not simulated')),
      evict: () => Promise.reject(new Error('not simulated')),
      watch: () => Promise.reject(new Error('not simulated')),
    };
  }

  private apply(object: KubeObject, { metadata }: PatchBody): void {
    const { name } = object.metadata;
    if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== object.metadata.resourceVersion) {
      throw new KubeError(409, { verb: 'patch', resource: 'configmaps', name }, 'conflict');
    }
    if (name === 'orders-leader') this.applyToLease(metadata.annotations?.leader ?? undefined);
    else this.applyToPod(this.world.member(name)!, metadata);
  }

  private applyToLease(pod: string | undefined): void {
    this.world.version += 1;
    Object.assign(this.world.lease, { pod, version: this.world.version });
  }

  private applyToPod(member: Member, metadata: PatchBody['metadata']): void {
    const call = { verb: 'patch', resource: 'pods', name: member.name } as const;
    if (metadata.uid !== undefined && metadata.uid !== member.uid) throw new KubeError(409, call, 'uid');
    if (metadata.annotations?.status === null) member.known = false;
    if (metadata.labels?.[LABEL.role] === null) member.label = false;
  }
}

interface PatchBody {
  readonly metadata: {
    readonly resourceVersion?: string;
    readonly uid?: string;
    readonly annotations?: Record<string, string | null>;
    readonly labels?: Record<string, string | null>;
  };
}
