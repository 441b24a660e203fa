/**
 * A small world: three members under a model of Patroni in quorum mode, an API server, links that can be cut. Time goes
 * in steps; every random choice comes from the seed. The model is as careless as Patroni may be and no more: what it
 * promises (docs of Patroni's quorum mode) holds without the agent, and the simulation checks that it holds with it.
 */
/* eslint-disable no-bitwise -- mulberry32, a generator of 32 bits, is made of them */
export class Random {
  constructor(private state: number) {}

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}
/* eslint-enable no-bitwise */

export const STEP_MS = 50;
export const TTL_MS = 30_000;
const LOOP_MS = 10_000;
const RETRY_MS = 10_000;
const RECEIVER_TIMEOUT_MS = 3_000;
const DEAD_PEER_MS = 2_000;

interface Versioned {
  version: number;
}

export interface Lease extends Versioned {
  pod: string | undefined;
}

export interface SyncKey extends Versioned {
  leader: string | undefined;
  standbys: string[];
  quorum: number;
}

interface Election {
  readonly dueMs: number;
  readonly leaseVersion: number;
  readonly syncVersion: number;
}

export interface Member {
  readonly name: string;
  /** What the Pod object says; a force-deleted Pod has a new one while the old process may still run. */
  uid: string;
  ip: string;
  /** Where the running process listens. */
  processIp: string;
  nodeUp: boolean;
  frozen: boolean;
  thawsAtMs: number;
  up: boolean;
  /** PostgreSQL accepts connections. */
  open: boolean;
  startsAtMs: number;
  diesAtMs: number;
  role: 'primary' | 'standby';
  log: number[];
  /** How much of its log it has told clients. */
  ackedUpTo: number;
  timeline: number;
  /** Who may confirm, as PostgreSQL has it in force; empty: nobody is waited for. */
  confirmers: string[];
  source: string | undefined;
  streaming: boolean;
  heardMs: number;
  /** When a lost stream is tried again; a new source is tried at once. */
  reconnectMs: number;
  nextLoopMs: number;
  leaseSeenMs: number;
  leaseSeenVersion: number;
  apiOkMs: number;
  election: Election | undefined;
  /** `status` annotation: without it others do not ask this member. */
  known: boolean;
  label: boolean;
}

function isSource({ open, role }: Member): boolean {
  return open && role === 'primary';
}

function differs(log: readonly number[], source: readonly number[]): boolean {
  return log.length !== source.length || log.at(-1) !== source.at(-1);
}

export class World {
  now = 0;
  version = 1;
  lease: Lease = { version: 1, pod: 'orders-1-0' };
  sync: SyncKey = { version: 1, leader: 'orders-1-0', standbys: ['orders-2-0', 'orders-3-0'], quorum: 1 };
  readonly members: Member[];
  readonly acked = new Set<number>();
  readonly cuts = new Set<string>();
  readonly story: string[] = [];
  promotions = 0;
  /** Of the last promotion; Patroni keeps it in its history. */
  timeline = 1;
  private nextCommit = 1;
  /** Runs before each step, whoever lets time pass: faults come between any two calls of an agent. */
  beforeStep: () => void = () => undefined;
  /** False: standbys take no notice of a fence, and tell the agent that they do. */
  fencesHold = true;

  constructor(readonly random: Random) {
    this.members = [1, 2, 3].map((number) => ({
      name: `orders-${number}-0`, uid: `uid-${number}`, ip: `10.0.0.${number}`, processIp: `10.0.0.${number}`,
      nodeUp: true, frozen: false, thawsAtMs: Infinity, up: true, open: true, startsAtMs: Infinity, diesAtMs: Infinity,
      role: number === 1 ? 'primary' : 'standby', log: [], ackedUpTo: 0, timeline: 1,
      confirmers: number === 1 ? ['orders-2-0', 'orders-3-0'] : [],
      source: number === 1 ? undefined : 'orders-1-0', streaming: number !== 1, heardMs: 0, reconnectMs: 0,
      nextLoopMs: this.random.below(LOOP_MS), leaseSeenMs: 0, leaseSeenVersion: 1, apiOkMs: 0,
      election: undefined, known: true, label: number === 1,
    }));
  }

  tell(text: string): void {
    this.story.push(`${(this.now / 1000).toFixed(2)} ${text}`);
  }

  member(name: string | undefined): Member | undefined {
    return this.members.find((member) => member.name === name);
  }

  linked(a: string, b: string): boolean {
    return this.cuts.size === 0 || !this.cuts.has(a < b ? `${a}|${b}` : `${b}|${a}`);
  }

  cut(a: string, b: string): void {
    this.cuts.add(a < b ? `${a}|${b}` : `${b}|${a}`);
  }

  freeze(member: Member, milliseconds: number): void {
    Object.assign(member, { frozen: true, thawsAtMs: this.now + milliseconds });
  }

  thaw(member: Member): void {
    Object.assign(member, { frozen: false, thawsAtMs: Infinity });
  }

  /** Nothing could bring it back to a primary: what the agent asks by SQL. */
  isFree(member: Member): boolean {
    if (!this.fencesHold) return true;
    return member.role === 'standby' && !member.streaming && this.member(member.source) === undefined;
  }

  /** A living process on a living node. */
  works(member: Member): boolean {
    return member.up && member.nodeUp && !member.frozen;
  }

  advance(milliseconds: number): void {
    const end = this.now + milliseconds;
    while (this.now < end) this.step();
  }

  private step(): void {
    this.now += STEP_MS;
    this.beforeStep();
    for (const member of this.members) this.live(member);
    for (const member of this.members) this.stream(member);
    for (const member of this.members) this.commit(member);
    for (const member of this.members) if (this.works(member)) this.patroni(member);
  }

  private live(member: Member): void {
    if (this.now >= member.thawsAtMs) this.thaw(member);
    if (member.up && this.now >= member.diesAtMs) this.kill(member, 2000);
    if (!member.up && member.nodeUp && this.now >= member.startsAtMs) {
      Object.assign(member, {
        up: true, open: false, startsAtMs: this.now + 1500, role: 'standby', source: undefined, streaming: false,
        election: undefined, nextLoopMs: this.now + 500, processIp: member.ip, apiOkMs: this.now,
      });
    } else if (member.up && !member.open && this.now >= member.startsAtMs) {
      member.open = true;
    }
  }

  kill(member: Member, backAfterMs: number): void {
    Object.assign(member, {
      up: false, open: false, streaming: false, role: 'standby',
      diesAtMs: Infinity, startsAtMs: this.now + backAfterMs, election: undefined,
    });
  }

  /** WAL flows; a lost peer is noticed after the receiver's time-out, a dead one at once. */
  private stream(member: Member): void {
    const source = this.member(member.source);
    if (!source || !this.follows(member)) return;
    const flows = this.answers(member, source) && isSource(source);
    if (flows) this.hear(member, source);
    if (member.streaming && this.hasLost(member, source)) {
      // wal_retrieve_retry_interval: the next attempt comes within 5 s.
      Object.assign(member, { streaming: false, reconnectMs: this.now + 100 + this.random.below(5000) });
    }
    if (flows && member.streaming && differs(member.log, source.log)) member.log = source.log.slice();
  }

  private follows(member: Member): boolean {
    return this.works(member) && member.open && member.role !== 'primary';
  }

  private hasLost(member: Member, source: Member): boolean {
    return this.resets(member, source) || this.now - member.heardMs > RECEIVER_TIMEOUT_MS;
  }

  private hear(member: Member, source: Member): void {
    if (!member.streaming && this.now >= member.reconnectMs) this.connect(member, source);
    member.heardMs = this.now;
  }

  /** The node is there and says that there is no such stream. */
  private resets(member: Member, source: Member): boolean {
    return this.hasNode(member, source) && (!source.up || source.role !== 'primary');
  }

  private hasNode(from: Member, to: Member): boolean {
    return to.nodeUp && !to.frozen && this.linked(from.name, to.name);
  }

  /** What diverged is rewound. */
  private connect(member: Member, source: Member): void {
    if (source.timeline < member.timeline) return;
    member.streaming = true;
    member.timeline = source.timeline;
  }

  /** A client writes to everything that takes writes. */
  private commit(member: Member): void {
    if (!this.works(member) || !member.open || member.role !== 'primary') return;
    if (this.now % 200 === 0) member.log.push(this.nextCommit++);
    const marks = member.confirmers.map((name) => this.confirmedBy(name, member));
    const confirmed = marks.length === 0 ? member.log.length : Math.max(0, ...marks);
    for (; member.ackedUpTo < confirmed; member.ackedUpTo += 1) this.acked.add(member.log[member.ackedUpTo]!);
  }

  private confirmedBy(name: string, primary: Member): number {
    const standby = this.member(name)!;
    return this.works(standby) && this.streamsFrom(standby, primary) ? standby.log.length : 0;
  }

  private streamsFrom(standby: Member, primary: Member): boolean {
    return standby.streaming && standby.source === primary.name && this.linked(standby.name, primary.name);
  }

  private patroni(member: Member): void {
    const api = this.linked(member.name, 'api');
    if (api) this.watch(member);
    if (member.election) this.elect(member);
    else if (this.now >= member.nextLoopMs) this.loop(member, api);
    const isCutOff = !api && this.now - member.apiOkMs > RETRY_MS;
    if (member.role === 'primary' && isCutOff && !this.isSafe(member)) this.demote(member);
  }

  private loop(member: Member, api: boolean): void {
    member.nextLoopMs = this.now + LOOP_MS + this.random.below(4) * STEP_MS;
    if (api) member.apiOkMs = this.now;
    if (member.role === 'primary') this.primaryLoop(member, api);
    else if (api && member.open) this.standbyLoop(member);
  }

  private watch(member: Member): void {
    if (member.leaseSeenVersion === this.lease.version) return;
    member.leaseSeenVersion = this.lease.version;
    member.leaseSeenMs = this.now;
    if (this.lease.pod === member.name && member.role === 'primary') return;
    member.nextLoopMs = Math.min(member.nextLoopMs, this.now + this.random.below(300));
  }

  /** failsafe_mode: without the API a primary goes on while every member agrees. */
  private isSafe(member: Member): boolean {
    return this.members.every((other) => other === member || (this.answers(member, other) && other.role !== 'primary'));
  }

  private demote(member: Member): void {
    this.tell(`${member.name} demotes`);
    Object.assign(member, { role: 'standby', source: undefined, streaming: false, label: false });
  }

  private primaryLoop(member: Member, api: boolean): void {
    if (!api) return;
    const isFree = this.lease.pod === undefined && member.timeline === this.timeline;
    if (isFree) this.write(() => { this.lease.pod = member.name; }, this.lease);
    if (this.lease.pod !== member.name) return this.demote(member);
    this.write(() => undefined, this.lease);
    member.leaseSeenVersion = this.lease.version;
    Object.assign(member, { known: true, label: true });
    this.maintainSync(member);
  }

  /** Each order of steps keeps every set that can confirm overlapping with every set that can elect. */
  private maintainSync(member: Member): void {
    const target = this.members
      .filter((other) => other !== member && this.works(other) && this.streamsFrom(other, member))
      // Patroni names a standby in the key only when it has all that was acknowledged without it.
      .filter((other) => this.sync.standbys.includes(other.name) || other.log.length >= member.log.length)
      .map((other) => other.name);
    const quorum = Math.max(0, target.length - 1);
    const named = { leader: member.name, standbys: target, quorum };
    const key = () => this.write(() => Object.assign(this.sync, named), this.sync);
    const server = () => { member.confirmers = target; };
    const grows = target.length >= this.sync.standbys.length;
    const keyFirst = grows ? this.sync.standbys.length > 0 && this.sync.leader === member.name : target.length === 0;
    for (const act of keyFirst ? [key, server] : [server, key]) {
      act();
      // A crash between the two steps.
      if (this.random.below(200) === 0) return;
    }
  }

  private write(change: () => void, object: Versioned): void {
    change();
    this.version += 1;
    object.version = this.version;
  }

  private standbyLoop(member: Member): void {
    const expired = this.now - member.leaseSeenMs > TTL_MS;
    // Whoever holds it promotes and asks nobody: it took it before, or was given it.
    if (this.lease.pod === member.name && !expired) return this.promote(member);
    Object.assign(member, { known: true });
    if (this.lease.pod !== undefined && !expired) {
      const source = this.lease.pod;
      const anew = { source, streaming: false, reconnectMs: 0, heardMs: this.now };
      if (member.source !== source && (this.fencesHold || this.member(source))) Object.assign(member, anew);
      return;
    }
    this.stand(member);
  }

  private stand(member: Member): void {
    const others = this.members.filter((other) => other !== member && other.known);
    const silent = others.some((other) => !this.answers(member, other) && !this.hasNode(member, other));
    const dueMs = this.now + (silent ? DEAD_PEER_MS : this.random.below(100));
    if (this.isHealthiest(member)) {
      member.election = { dueMs, leaseVersion: this.lease.version, syncVersion: this.sync.version };
    } else {
      // `follow(None)`: who does not stand for election stops its WAL receiver until there is somebody to follow.
      Object.assign(member, { nextLoopMs: this.now + 1000, source: undefined, streaming: false });
    }
  }

  private answers(from: Member, to: Member): boolean {
    return this.works(to) && this.linked(from.name, to.name);
  }

  private isHealthiest(member: Member): boolean {
    const { sync } = this;
    const voters = sync.standbys;
    // `check_timeline: true`: whoever missed a promotion has nothing to say, however far its own WAL goes.
    if (member.timeline < this.timeline) return false;
    if (voters.length === 0) return sync.leader === member.name;
    let votes = voters.includes(member.name) ? 0 : -1;
    const asked = this.members.filter((one) => one !== member && one.known && this.answers(member, one));
    for (const other of asked.filter((one) => [...voters, sync.leader].includes(one.name))) {
      if (other.role === 'primary') return false;
      if (other.log.length > member.log.length && other.name !== sync.leader) return false;
      if (other.open && voters.includes(other.name)) votes += 1;
    }
    return votes >= sync.quorum;
  }

  private elect(member: Member): void {
    const { dueMs, leaseVersion, syncVersion } = member.election!;
    if (this.now < dueMs) return;
    member.election = undefined;
    member.nextLoopMs = this.now + 1000;
    if (!this.linked(member.name, 'api') || this.lease.version !== leaseVersion) {
      Object.assign(member, { source: undefined, streaming: false });
      return;
    }
    this.write(() => { this.lease.pod = member.name; }, this.lease);
    if (this.sync.version !== syncVersion) return;
    this.promote(member);
  }

  private promote(member: Member): void {
    this.write(() => Object.assign(this.sync, { leader: member.name, standbys: [], quorum: 0 }), this.sync);
    const kept = new Set(member.log);
    const lost = [...this.acked].filter((id) => !kept.has(id));
    this.tell(`${member.name} promotes`);
    if (lost.length > 0) throw new Error(`${lost.length} acknowledged commits lost when ${member.name} was promoted`);
    this.promotions += 1;
    this.timeline += 1;
    const { timeline } = this;
    const confirmers = this.members.filter((one) => one !== member).map((one) => one.name);
    Object.assign(member, { role: 'primary', timeline, source: undefined, streaming: false, confirmers, ackedUpTo: 0, known: true, label: true, nextLoopMs: this.now + 1000, apiOkMs: this.now });
  }

}
