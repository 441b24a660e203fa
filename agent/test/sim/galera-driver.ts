/** The agent's own look, decision and executors in that world: only ports are simulated, and each call takes time. */
import { STEP_MS, type GaleraWorld, type Member } from './galera-world.js';
import { GALERA_RECORD_KEY } from '../../../src/contract/galera.js';
import { COMPONENT, LABEL } from '../../../src/contract/labels.js';
import { afterGaleraAction, decideGalera } from '../../src/decide/galera/decide.js';
import { executeGalera } from '../../src/execute/galera/execute.js';
import type { GaleraHands } from '../../src/execute/galera/hands.js';
import { Log } from '../../src/log.js';
import { parseGaleraReport } from '../../src/model/galera/member.js';
import { NO_GALERA_MEMORY, type GaleraMemory } from '../../src/model/galera/snapshot.js';
import { lookAtGalera, type GaleraSenses, type GaleraStores } from '../../src/observe/galera/view.js';
import { Store } from '../../src/observe/store.js';
import { KubeError, type Kube, type KubeObject } from '../../src/ports/kube.js';
import { contract } from '../support/galera.js';

/** A watch or a stream that has heard nothing for this long is known to be broken. */
const WATCH_NOTICED_MS = 20_000;
const HEARD_MS = 7_000;
const RECORD = 'orders-bootstraps';

/** The record is the one object that the world's members and all agents share. */
export interface Api {
  version: number;
  history: string | undefined;
}

class Died extends Error {}

const memberLabels = { [LABEL.cluster]: 'orders', [LABEL.component]: COMPONENT.member };

function podObject(member: Member): KubeObject {
  const number = member.name.split('-')[1]!;
  const state = member.phase === 'off' ? { terminated: {} } : { running: {} };
  return {
    metadata: { name: `${member.name}-0`, uid: `uid-${number}`, labels: memberLabels },
    spec: { nodeName: `node-${number}` },
    status: { podIP: `10.0.0.${number}`, containerStatuses: [{ name: 'mariadb', state }] },
  };
}

interface Told {
  readonly text: string;
  readonly atMs: number;
}

export class SimulatedGaleraAgent {
  private memory: GaleraMemory = NO_GALERA_MEMORY;
  private cache: { pods: KubeObject[]; record: KubeObject[]; atMs: number } = { pods: [], record: [], atMs: -Infinity };
  private readonly streams = new Map<string, Told>();
  readonly rules = new Map<string, number>();
  private readonly hands: GaleraHands;
  private readonly stores: GaleraStores;

  constructor(private readonly world: GaleraWorld, private readonly api: Api, private readonly name: string) {
    this.stores = {
      pods: this.store(() => this.cache.pods), requests: this.store(() => this.cache.record),
      statefulSets: this.store(() => []),
    };
    this.hands = {
      kube: this.kube(), log: new Log({}, () => undefined), key: async () => 'key',
      clock: {
        nowMs: () => world.now, wall: () => new Date(world.now), sleep: async () => undefined, random: () => 0.5,
      },
      members: {
        state: async (host) => this.world.state(this.reach(host)),
        watch: () => ({ close: () => undefined }),
        post: async (host, { path, body }) => {
          const member = this.reach(host);
          // A request may be long on its way, or its answer may be lost.
          this.pass(20);
          if (!this.world.works(member)) throw new Error('no answer');
          const refused = this.world.post(member, path, body);
          this.passOrDie();
          return { status: refused ? 409 : 200, body: JSON.stringify({ error: refused }) };
        },
      },
    };
  }

  /** The process dies and another one takes its place. */
  forget(): void {
    this.memory = NO_GALERA_MEMORY;
    this.streams.clear();
  }

  async tick(): Promise<void> {
    this.refresh();
    await this.turn().catch((problem: unknown) => {
      if (!(problem instanceof Died)) throw problem;
      this.forget();
    });
  }

  private async turn(): Promise<void> {
    const snapshot = await lookAtGalera(this.stores, this.senses(), contract());
    const decision = decideGalera(snapshot, this.memory, this.world.now, this.name === 'agent-a');
    this.memory = decision.memory;
    this.rules.set(decision.ruleId, (this.rules.get(decision.ruleId) ?? 0) + 1);
    const [action] = decision.actions;
    if (!action) return;
    this.passOrDie();
    const outcome = await executeGalera(this.hands, action).catch((problem: unknown) => {
      if (problem instanceof Died) throw problem;
      return { done: false, detail: String(problem), refused: undefined };
    });
    this.world.tell(`${this.name} ${decision.ruleId} ${action.kind}: ${outcome.detail}`);
    if (!outcome.done && !outcome.refused) return;
    this.memory = afterGaleraAction(this.memory, action, { refused: outcome.refused ?? false, nowMs: this.world.now });
  }

  private senses(): GaleraSenses {
    const { clock } = this.hands;
    const report = (member: string) => {
      const told = this.streams.get(member);
      if (!told || this.world.now - told.atMs > HEARD_MS) return undefined;
      return parseGaleraReport(member, told.text, told.atMs);
    };
    return { clock, report, network: { probe: async (host) => this.probe(host) } };
  }

  private refresh(): void {
    const { world } = this;
    for (const member of world.members) {
      const { name } = member;
      if (world.reaches(this.name, member)) this.streams.set(name, { text: world.state(member), atMs: world.now });
      // The end of a process on a node that lives ends its stream; a cut or a stand-still does not.
      else if (member.phase === 'off' && member.nodeUp && world.linked(this.name, name)) this.streams.delete(name);
    }
    if (!world.linked(this.name, 'api')) return;
    this.cache = { pods: world.members.map(podObject), record: [this.record()], atMs: world.now };
  }

  private record(): KubeObject {
    const { version, history } = this.api;
    return {
      metadata: { name: RECORD, resourceVersion: String(version) },
      data: history === undefined ? {} : { [GALERA_RECORD_KEY.history]: history },
    };
  }

  private store(objects: () => KubeObject[]): Store {
    const agent = this;
    const store = {
      get current() { return agent.world.now - agent.cache.atMs < WATCH_NOTICED_MS; },
      get: (name: string) => objects().find((object) => object.metadata.name === name),
      of: objects,
      read: Store.prototype.read,
    };
    return store as unknown as Store;
  }

  private memberAt(host: string): Member {
    return this.world.members.find((member) => host.endsWith(`.${member.name.split('-')[1]}`))!;
  }

  private reach(host: string): Member {
    this.passOrDie();
    const member = this.memberAt(host);
    if (!this.world.reaches(this.name, member)) throw new Error('no answer');
    return member;
  }

  private probe(host: string): 'answers' | 'refuses' | 'silent' {
    this.pass();
    const member = this.memberAt(host);
    if (!member.nodeUp || !this.world.linked(this.name, member.name)) return 'silent';
    if (member.phase === 'off') return 'refuses';
    return this.world.works(member) ? 'answers' : 'silent';
  }

  /** Time passes between two calls; now and then the agent itself stands still for long. */
  private pass(most = 6): void {
    const { random } = this.world;
    if (random.below(300) === 0) this.world.advance(STEP_MS * random.below(400));
    else if (random.below(3) === 0) this.world.advance(STEP_MS * (1 + random.below(most)));
    else return;
    this.refresh();
  }

  private passOrDie(): void {
    if (this.world.random.below(100) === 0) throw new Died();
    this.pass();
  }

  private kube(): Kube {
    const call = (verb: 'get' | 'patch') => {
      this.passOrDie();
      if (!this.world.linked(this.name, 'api')) throw new KubeError(0, { verb, resource: 'configmaps', name: RECORD }, 'no answer');
      return this.record();
    };
    const none = () => Promise.reject(new Error('not simulated'));
    return {
      get: async () => call('get'),
      patch: async (_resource, _name, body) => {
        const object = call('patch');
        const { metadata, data } = body as { metadata: { resourceVersion: string }; data: Record<string, string> };
        if (metadata.resourceVersion !== object.metadata.resourceVersion) {
          throw new KubeError(409, { verb: 'patch', resource: 'configmaps', name: RECORD }, 'conflict');
        }
        this.api.version += 1;
        this.api.history = data[GALERA_RECORD_KEY.history];
        return this.record();
      },
      create: none, evict: none, watch: none,
    };
  }
}
