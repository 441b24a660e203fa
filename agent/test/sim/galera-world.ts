/**
 * A small world: three members of a Galera cluster under a model of their scripts and of Galera, links that can be cut,
 * an API server. Time goes in steps; every random choice comes from the seed. The model is as careless as the real
 * parts may be and no more: a joiner whose number fits is taken without a look at its rows, as Galera does.
 */
import { Random } from './world.js';

export const STEP_MS = 50;
/** Until a group gives a silent member up. */
const SUSPECT_MS = 2500;
const RECOVERY_MS = 300;
const SELF_RECOVERY_MS = 5000;
const STAND_STILL_MS = 3000;
const PEERS_ASKED_MS = 200;
/** Between two looks at the table of bootstraps, on average. */
const NOTE_STEPS = 40;

export interface Note {
  readonly n: number;
  readonly id: string;
  readonly seqno: number;
  readonly member: string;
  readonly era: number;
}

/** A restore in place begins era 1, the way back era 2. */
export interface Era {
  readonly number: number;
  readonly by: string;
}

export const FIRST_ERA: Era = { number: 0, by: '' };
export const RESTORED: Era = { number: 1, by: 'restore-1' };
export const PUT_BACK: Era = { number: 2, by: 'restore-1 put back' };
/** What the restore brings. */
const BASE = ['r-1', 'r-2', 'r-3'];

/** On a volume: data and what is noted of them. */
type Kept = Pick<Member, 'log' | 'data' | 'note' | 'lastView'>;

/** Rows of one history, as clients and numbers have them. */
export interface Book {
  readonly acked: Set<string>;
  readonly committed: Map<number, string>;
}

export interface View {
  readonly id: number;
  /** member -> gcomm uuid */
  readonly members: Readonly<Record<string, string>>;
}

interface Body {
  readonly id?: string;
  readonly bootId?: string;
  readonly seqno?: number;
  readonly gcommUuid?: string;
}

/** What ends by itself after a time. */
const TIMED_PHASES: ReadonlySet<Phase> = new Set(['off', 'recovering', 'joining']);

export type Phase = 'off' | 'recovering' | 'holding' | 'waiting' | 'joining' | 'synced' | 'nonprimary';

export interface Member {
  readonly name: string;
  nodeUp: boolean;
  frozenUntilMs: number;
  bootId: string;
  phase: Phase;
  /** The next step of the script. */
  dueMs: number;
  /** On disk: transactions in the order of their numbers. */
  log: string[];
  data: 'empty' | 'present' | 'incomplete';
  note: Note | undefined;
  lastView: readonly string[];
  asides: number;
  era: Era;
  kept: Kept | undefined;
  /** What it has read of the declaration. */
  wanted: Era | undefined;
  /** Received and not yet applied: gone with the process. */
  queue: string[];
  gcomm: string;
  view: View | undefined;
  suspects: Map<string, number>;
  waitingSinceMs: number;
  apartSinceMs: number;
  takenGrants: Set<string>;
}

export interface State {
  readonly member: Member;
  readonly text: string;
}

export const NAMES = ['orders-1', 'orders-2', 'orders-3'] as const;
const UUIDS = ['11111111-2222-3333-4444-555555555555', '99999999-2222-3333-4444-555555555555'] as const;
const newBook = (): Book => ({ acked: new Set(), committed: new Map() });
const isRestored = ({ era }: Member): boolean => era.number === RESTORED.number;

export class GaleraWorld {
  now = 0;
  version = 1;
  history: string | undefined;
  readonly members: Member[];
  readonly cuts = new Set<string>();
  /** What was ever committed under each number: of the cluster as it was, and of what a restore has brought. */
  readonly books: readonly [Book, Book] = [newBook(), newBook()];
  /** What is declared; members read it at moments of their own. */
  wanted: Era | undefined;
  readonly story: string[] = [];
  readonly wrongs: string[] = [];
  bootstraps = 0;
  beforeStep: () => void = () => undefined;
  /** False: members come back by themselves only with an agent. */
  selfRecovery = true;
  private count = 0;

  constructor(readonly random: Random) {
    this.members = NAMES.map((name) => ({
      name, nodeUp: true, frozenUntilMs: -Infinity, bootId: '', phase: 'off', dueMs: random.below(1000), log: [], data: 'empty', note: undefined,
      lastView: [], asides: 0, queue: [], gcomm: '', view: undefined, suspects: new Map(), waitingSinceMs: 0, apartSinceMs: Infinity,
      takenGrants: new Set<string>(), era: FIRST_ERA, kept: undefined, wanted: undefined,
    }));
  }

  tell(what: string): void {
    this.story.push(`${String(this.now).padStart(6)} ${what}`);
  }

  member(name: string | undefined): Member | undefined {
    return this.members.find((member) => member.name === name);
  }

  linked(a: string, b: string): boolean {
    return a === b || !this.cuts.has([a, b].sort().join(' '));
  }

  cut(a: string, b: string): void {
    this.cuts.add([a, b].sort().join(' '));
  }

  works(member: Member): boolean {
    return member.nodeUp && member.phase !== 'off' && this.now >= member.frozenUntilMs;
  }

  runs(member: Member): boolean {
    return member.phase === 'synced' || member.phase === 'nonprimary';
  }

  /** Its process answers to that party. */
  reaches(from: string, member: Member): boolean {
    return this.works(member) && this.linked(from, member.name);
  }

  advance(milliseconds: number): void {
    for (let left = milliseconds; left > 0; left -= STEP_MS) {
      this.now += STEP_MS;
      this.beforeStep();
      for (const member of this.members) this.step(member);
      this.checkEras();
    }
  }

  /** Two histories never serve at once, nor an earlier one once somebody's data are set aside. */
  private checkEras(): void {
    const last = Math.max(...this.members.map(({ era }) => era.number));
    const early = this.members.filter((member) => member.era.number < last && this.quorate(member));
    if (early.length > 0) this.wrongs.push(`${this.now}: ${early.map(({ name }) => name).join(', ')} serves, and there is era ${last}`);
  }

  book(member: Member): Book {
    return this.books[isRestored(member) ? 1 : 0];
  }

  // ---- faults

  kill(member: Member, backInMs: number): void {
    if (member.phase === 'joining') member.data = 'incomplete';
    // What it had received it may have applied up to any point.
    if (this.runs(member)) this.apply(member, this.random.below(member.queue.length + 1));
    Object.assign(member, { phase: 'off', queue: [], view: undefined, dueMs: this.now + backInMs });
    member.suspects.clear();
  }

  // ---- the script

  private step(member: Member): void {
    if (!member.nodeUp || this.now < member.frozenUntilMs) return;
    if (member.phase === 'waiting' || member.phase === 'holding') this.whileWaiting(member);
    else if (TIMED_PHASES.has(member.phase) && this.now >= member.dueMs) this.due(member);
    else if (this.runs(member)) this.serve(member);
  }

  private due(member: Member): void {
    if (member.phase === 'off') this.boot(member);
    else if (member.phase === 'recovering') this.wait(member);
    else this.joined(member);
  }

  private boot(member: Member): void {
    this.count += 1;
    Object.assign(member, { bootId: `boot-${this.count}`, phase: 'recovering', dueMs: this.now + RECOVERY_MS });
    if (member.wanted !== this.wanted && this.random.below(2) === 0) member.wanted = this.wanted;
    member.takenGrants.clear();
  }

  private wait(member: Member): void {
    Object.assign(member, { phase: 'waiting', waitingSinceMs: this.now, view: undefined });
  }

  private peers(member: Member): Member[] {
    return this.members.filter((other) => other !== member && this.reaches(member.name, other));
  }

  /** Why its data must not join that one as they are. */
  foreign(member: Member, primary: Member): boolean {
    if (member.data !== 'present') return false;
    if (member.era.number !== primary.era.number) return true;
    if (member.note?.id === primary.note?.id) return false;
    const [from, to] = [member.note?.n ?? 0, primary.note?.n ?? 0];
    const later = this.notes.filter(({ era, n }) => era === member.era.number && n > from && n <= to);
    return later.some((note) => member.log.length > note.seqno);
  }

  /** The replicated table of bootstraps, as those that serve have it. */
  readonly notes: Note[] = [];

  // ---- a restore in place, as galera_rules.py has it

  private isDue(member: Member, peers: readonly Member[]): boolean {
    const { wanted, era } = member;
    if (!wanted || era.number >= wanted.number) return false;
    if (member.data !== 'present' && peers.some((other) => this.quorate(other))) return false;
    return wanted.number === RESTORED.number || [member, ...peers].some((other) => other.era.number >= RESTORED.number);
  }

  /** True: it runs no server before all others have stopped too. */
  private holds(member: Member): boolean {
    if (member.wanted !== this.wanted && this.random.below(40) === 0) member.wanted = this.wanted;
    const peers = this.peers(member);
    if (!this.isDue(member, peers)) {
      if (member.phase === 'holding') member.phase = 'waiting';
      return false;
    }
    const { wanted } = member;
    member.phase = 'holding';
    const isStill = ({ phase, wanted: theirs, era }: Member) =>
      (phase === 'holding' && theirs === wanted) || era.number === wanted!.number;
    const all = peers.length === this.members.length - 1 && peers.every(isStill);
    if (all && this.random.below(5) === 0) this.move(member, wanted!);
    return true;
  }

  private move(member: Member, wanted: Era): void {
    const { log, data, note, lastView } = member;
    const nothing: Kept = { log: [], data: 'empty', note: undefined, lastView: [] };
    if (wanted.number === 1) Object.assign(member, { kept: { log, data, note, lastView }, ...nothing });
    else if (isRestored(member)) Object.assign(member, member.kept ?? nothing, { kept: undefined });
    this.tell(`${member.name} has been through ${wanted.by}`);
    Object.assign(member, { era: wanted, phase: 'recovering', dueMs: this.now + RECOVERY_MS });
    // The process may end at any moment; a step that was begun is finished.
    if (this.random.below(3) === 0) this.kill(member, 300 + this.random.below(4000));
  }

  private whileWaiting(member: Member): void {
    if (this.holds(member)) return;
    const primary = this.peers(member).filter(({ phase, era }) => phase === 'synced' && era.number >= member.era.number).sort((a, b) => (b.note?.n ?? 0) - (a.note?.n ?? 0))[0];
    if (primary && !this.foreign(member, primary)) this.join(member, primary);
    else if (!primary && this.selfRecovery) this.recoverTogether(member);
  }

  private join(member: Member, primary: Member): void {
    const copies = member.data !== 'present';
    member.note = primary.note;
    member.era = primary.era;
    if (copies) Object.assign(member, { data: 'incomplete', log: [] });
    Object.assign(member, { phase: 'joining', dueMs: this.now + (copies ? 2000 : 500) + this.random.below(2000) });
  }

  private joined(member: Member): void {
    const primary = this.peers(member).find(({ phase, view }) => phase === 'synced' && view && this.isWhole(view, member.name));
    if (!primary) {
      // Nobody is left who could give what is missing.
      this.wait(member);
      return;
    }
    this.flush(primary);
    // By numbers: rows that differ below are not seen.
    member.log = member.data === 'incomplete' ? [...primary.log] : [...member.log, ...primary.log.slice(member.log.length)];
    this.count += 1;
    Object.assign(member, { data: 'present', gcomm: `g-${this.count}`, phase: 'synced', note: primary.note, queue: [] });
    this.install([...this.group(primary), member]);
  }

  /** All members of the view are heard by the newcomer too. */
  private isWhole(view: View, newcomer: string): boolean {
    return Object.keys(view.members).every((name) => this.hears(newcomer, view, name));
  }

  private recoverTogether(member: Member): void {
    if (this.now - member.waitingSinceMs < SELF_RECOVERY_MS) return;
    const all = [member, ...this.peers(member)];
    if (all.length < this.members.length || all.some(({ phase }) => phase !== 'waiting')) return;
    const best = this.newest();
    if (best === member) this.begin(member, `self-${this.bootstraps}`);
  }

  /** As galera_rules.py chooses. */
  private newest(): Member | undefined {
    const last = Math.max(...this.members.map(({ era }) => era.number));
    const holders = this.members.filter(({ data }) => data === 'present');
    if (holders.length === 0) return this.isNew(last) ? this.members[0] : undefined;
    if (holders.some(({ era }) => era.number < last)) return undefined;
    const latest = Math.max(...holders.map(({ note }) => note?.n ?? 0));
    const candidates = holders.filter(({ note }) => (note?.n ?? 0) === latest);
    const best = candidates.reduce((a, b) => (b.log.length > a.log.length ? b : a));
    if (holders.some(({ log }) => log.length > best.log.length)) return undefined;
    const lost = this.members.some(({ name, data }) => best.lastView.includes(name) && data === 'empty');
    return lost ? undefined : best;
  }

  /** No volume holds data, and none of this era ever did. */
  private isNew(era: number): boolean {
    return this.members.every((member) => member.era.number === era && member.data === 'empty') && era !== PUT_BACK.number
      && !this.notes.some((note) => note.era === era);
  }

  begin(member: Member, id: string): void {
    this.bootstraps += 1;
    if (member.data !== 'present' && isRestored(member)) member.log = [...BASE];
    this.count += 1;
    const most = Math.max(...this.members.filter(({ data }) => data === 'present').map(({ log }) => log.length), 0);
    this.tell(`${member.name} bootstraps at ${member.log.length} (${id}); the most is ${most}`);
    this.note(member, id);
    Object.assign(member, { data: 'present', phase: 'synced', gcomm: `g-${this.count}`, queue: [] });
    this.install([member]);
  }

  private note(member: Member, id: string): void {
    const serving = this.members.filter((other) => other !== member && other.phase === 'synced' && this.quorate(other));
    if (serving.length > 0) this.wrongs.push(`${this.now}: ${member.name} begins while ${serving.map(({ name }) => name).join(', ')} serves`);
    const { name, log, era } = member;
    member.note = { n: (member.note?.n ?? 0) + 1, id, seqno: log.length, member: name, era: era.number };
    this.notes.push(member.note);
  }

  // ---- Galera

  private group(member: Member): Member[] {
    return this.members.filter((other) => member.view && other.view?.id === member.view.id && member.view.members[other.name] === other.gcomm && other.phase === 'synced');
  }

  /** Its view hears all of itself: only then something is committed. */
  quorate(member: Member): boolean {
    if (!member.view || member.phase !== 'synced' || !this.works(member)) return false;
    return Object.keys(member.view.members).every((name) => this.hears(member.name, member.view!, name));
  }

  /** That one runs, in the same view, and the link stands. */
  private hears(me: string, view: View, name: string): boolean {
    const other = this.member(name)!;
    return other.phase === 'synced' && other.view?.id === view.id && other.gcomm === view.members[name] && this.works(other) && this.linked(name, me);
  }

  private install(members: readonly Member[]): void {
    this.count += 1;
    const view: View = { id: this.count, members: Object.fromEntries(members.map(({ name, gcomm }) => [name, gcomm])) };
    for (const member of members) {
      Object.assign(member, { view, phase: 'synced', lastView: Object.keys(view.members), apartSinceMs: Infinity });
      member.suspects.clear();
    }
  }

  private serve(member: Member): void {
    this.apply(member, this.random.below(3));
    this.readNote(member);
    if (member.phase === 'nonprimary') this.whileApart(member);
    else if (!this.suspect(member) && this.quorate(member) && this.random.below(2) === 0) this.commit(member);
  }

  private apply(member: Member, count: number): void {
    member.log.push(...member.queue.splice(0, count));
  }

  private flush(member: Member): void {
    this.apply(member, member.queue.length);
  }

  /** The others of a promotion learn of it by a row that they look for now and then. */
  private readNote(member: Member): void {
    const [newest] = this.group(member).map(({ note }) => note).sort((a, b) => (b?.n ?? 0) - (a?.n ?? 0));
    if (newest && this.random.below(NOTE_STEPS) === 0) member.note = newest;
  }

  /** Safe delivery: everybody in the view has it before the client is told. */
  private commit(member: Member): void {
    const group = this.group(member);
    if (group.length !== Object.keys(member.view!.members).length) return;
    this.count += 1;
    const row = `t-${this.count}`;
    for (const other of group) other.queue.push(row);
    this.flush(member);
    this.check(member, row);
    this.book(member).acked.add(row);
  }

  private check(member: Member, row: string): void {
    const number = member.log.length;
    const { acked, committed } = this.book(member);
    const other = committed.get(number);
    if (other !== undefined && acked.has(other)) this.wrongs.push(`${this.now}: ${member.name} commits ${row} as number ${number}, which was ${other}`);
    committed.set(number, row);
  }

  /** True: somebody of the view is silent, and nothing can be committed until he is given up. */
  private suspect(member: Member): boolean {
    const silent = Object.keys(member.view!.members).filter((name) => !this.hears(member.name, member.view!, name));
    for (const name of silent) member.suspects.set(name, member.suspects.get(name) ?? this.now);
    for (const name of member.suspects.keys()) if (!silent.includes(name)) member.suspects.delete(name);
    const due = silent.filter((name) => this.now - member.suspects.get(name)! >= SUSPECT_MS);
    if (due.length > 0) this.regroup(member, due);
    return silent.length > 0;
  }

  private regroup(member: Member, gone: readonly string[]): void {
    const view = member.view!;
    const hears = ({ name }: Member) => this.linked(name, member.name);
    const stays = (other: Member) => !gone.includes(other.name) && this.works(other) && hears(other);
    const left = this.group(member).filter(stays);
    for (const other of left) this.flush(other);
    if (left.length * 2 > Object.keys(view.members).length) return this.install(left);
    for (const other of left) Object.assign(other, { phase: 'nonprimary', apartSinceMs: this.now });
  }

  /** Taken out by a survivor; a process that lives ends. */
  evict(via: Member, gcomm: string): boolean {
    const gone = Object.entries(via.view?.members ?? {}).find(([, uuid]) => uuid === gcomm)?.[0];
    if (!gone || gone === via.name) return false;
    const victim = this.member(gone)!;
    this.regroup(via, [gone]);
    if (victim.gcomm === gcomm && this.runs(victim)) {
      this.wrongs.push(`${this.now}: ${gone} is evicted alive`);
    }
    return true;
  }

  /** A Primary Component whose members are all back; some of them had gone on without the others meanwhile. */
  private merge(members: readonly Member[]): void {
    for (const member of members) this.flush(member);
    this.catchUp(members);
    this.install(members);
  }

  /** By the exchange of states: who is behind gets what is missing before it serves. */
  private catchUp(members: readonly Member[]): void {
    const longest = members.reduce((a, b) => (b.log.length > a.log.length ? b : a)).log;
    for (const member of members) member.log = [...member.log, ...longest.slice(member.log.length)];
  }

  private whileApart(member: Member): void {
    const view = member.view!;
    const seen = this.members.filter((other) => this.works(other) && this.linked(other.name, member.name));
    const serving = seen.find((other) => other.phase === 'synced' && this.quorate(other));
    if (serving) return this.rejoin(member, serving);
    const whole = Object.entries(view.members).every(([name, gcomm]) => seen.some((other) => other.name === name && other.gcomm === gcomm && other.phase === 'nonprimary'));
    if (whole) return this.merge(seen.filter(({ name }) => view.members[name] !== undefined));
    const all = seen.length === this.members.length && seen.every(({ phase }) => phase === 'waiting' || phase === 'nonprimary');
    if (!all) member.apartSinceMs = this.now;
    else if (this.now - member.apartSinceMs > STAND_STILL_MS && this.selfRecovery) this.stop(member);
  }

  private rejoin(member: Member, serving: Member): void {
    this.flush(member);
    this.flush(serving);
    if (this.foreign(member, serving)) return this.stop(member);
    member.log.push(...serving.log.slice(member.log.length));
    member.note = serving.note;
    this.install([...this.group(serving), member]);
  }

  stop(member: Member): void {
    this.flush(member);
    Object.assign(member, { phase: 'recovering', dueMs: this.now + RECOVERY_MS, view: undefined, queue: [], apartSinceMs: Infinity });
  }

  // ---- the interface

  state(member: Member): string {
    const running = this.runs(member);
    const names = Object.entries(this.connected(member)).map(([name, gcommUuid]) => ({ name, gcommUuid }));
    const note = member.note && { ...member.note, uuid: this.uuid(member) };
    return JSON.stringify({
      member: member.name, bootId: member.bootId, phase: member.phase, because: '', ambiguous: true, era: member.era,
      server: { pid: running || member.phase === 'joining' ? 1 : null },
      position: this.position(member), sstIncomplete: member.data === 'incomplete', dataEmpty: member.data === 'empty',
      lastPrimaryView: { members: member.lastView }, lastBootstrap: note ?? null, writer: null,
      drained: false, desynced: false, pendingRestart: [], declared: undefined,
      wsrep: running ? { clusterStatus: member.phase === 'synced' ? 'Primary' : 'non-Primary', localState: 4, ready: true, gcommUuid: member.gcomm, members: names } : null,
    });
  }

  /** Servers without quorum that reach each other form a view, whatever they were in before. */
  private connected(member: Member): Readonly<Record<string, string>> {
    const alike = member.phase === 'nonprimary' ? this.peers(member).filter(({ phase }) => phase === 'nonprimary') : [];
    return { ...member.view?.members, ...Object.fromEntries(alike.map(({ name, gcomm }) => [name, gcomm])) };
  }

  private uuid(member: Member): string {
    return UUIDS[isRestored(member) ? 1 : 0];
  }

  private position(member: Member): object {
    const isOpen = member.phase === 'recovering' || member.phase === 'joining';
    if (isOpen || member.data !== 'present') return { uuid: null, seqno: -1, source: 'unknown' };
    return { uuid: this.uuid(member), seqno: member.log.length, source: 'recovered' };
  }

  post(member: Member, path: string, body: Body): string | undefined {
    if (body.bootId !== member.bootId) return 'another process';
    if (path === '/evict') return this.evict(member, body.gcommUuid!) ? undefined : 'not in the view';
    if (path === '/set-aside') return this.setAside(member, body.seqno!);
    if (path === '/stop') return member.phase === 'synced' ? 'it serves' : void this.stop(member);
    return this.take(member, path, body);
  }

  /** A grant holds for exactly the position that it names, and once. */
  private take(member: Member, path: string, body: Body): string | undefined {
    const seqno = member.data === 'present' ? member.log.length : -1;
    if (seqno !== body.seqno || member.takenGrants.has(body.id!)) return `at ${seqno}, or taken before`;
    if (path === '/pc-bootstrap') return this.promote(member, body.id!);
    return this.grant(member, body.id!);
  }

  private grant(member: Member, id: string): string | undefined {
    if (member.phase !== 'waiting') return `it is ${member.phase}`;
    this.advance(PEERS_ASKED_MS);
    if (member.phase !== 'waiting' || member.dueMs === Infinity) return 'it changed';
    if (this.peers(member).some(({ phase, era }) => phase === 'holding' || era.number > member.era.number)) return 'a restore in place';
    if (this.peers(member).some((other) => this.runs(other) && other.phase === 'synced')) return 'somebody serves';
    member.takenGrants.add(id);
    this.begin(member, id);
    return undefined;
  }

  private promote(member: Member, id: string): string | undefined {
    if (member.phase !== 'nonprimary') return `it is ${member.phase}`;
    member.takenGrants.add(id);
    const others = this.members.filter((other) => other !== member && other.phase === 'nonprimary' && this.reaches(member.name, other));
    const all = [member, ...others];
    all.forEach((each) => this.flush(each));
    this.note(member, id);
    this.bootstraps += 1;
    this.catchUp(all);
    this.tell(`${member.name} is promoted at ${member.log.length}`);
    this.install(all);
    return undefined;
  }

  private setAside(member: Member, seqno: number): string | undefined {
    if (member.phase !== 'waiting' || (seqno !== -1 && seqno !== member.log.length)) return 'it changed';
    const serving = this.members.filter((other) => this.quorate(other));
    const latest = serving.map(({ era }) => era).find(({ number }) => number > member.era.number);
    if (latest) this.move(member, latest);
    else Object.assign(member, { data: 'empty', log: [], note: undefined, lastView: [], asides: member.asides + 1 });
    return undefined;
  }
}
