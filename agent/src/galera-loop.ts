/**
 * One Galera cluster: look, decide, act, look again. Life and death are decided on every replica of the agent, since
 * the members and the record make sure that only one of them is followed; planned work and the status on the one that
 * holds the Lease.
 */
import { afterGaleraAction, decideGalera, type GaleraDecision } from './decide/galera/decide.js';
import { judgeGalera } from './decide/galera/health.js';
import { executeGalera } from './execute/galera/execute.js';
import type { GaleraHands, GaleraOutcome } from './execute/galera/hands.js';
import { GaleraDatabases } from './galera-databases.js';
import type { Log } from './log.js';
import { MemberWatches } from './member-watches.js';
import { MissingRights } from './missing-rights.js';
import type { GaleraAction } from './model/galera/actions.js';
import type { GaleraReading } from './model/galera/contract.js';
import { NO_GALERA_MEMORY, type GaleraMemory } from './model/galera/snapshot.js';
import type { GaleraHealth, GaleraStatus } from './model/galera/status.js';
import { STATUS_VERSION, type DecisionRecord } from './model/status.js';
import { galeraAddresses, lookAtGalera, type GaleraStores } from './observe/galera/view.js';
import { pauseOf, type Routine } from './pace.js';
import { KubeError } from './ports/kube.js';
import type { Network } from './ports/network.js';
import { Rounds } from './rounds.js';
import type { StatusWriter } from './status-writer.js';
import type { GaleraContract } from '../../src/contract/galera.js';

/** Members tell each change; this finds the one that tells nothing any more. */
const AT_REST: Routine = { everyMs: 2000, mostPerSecond: 40 };
/** While a member is missing or not synced: it may be back at any moment. */
const UNWELL_MS = 250;
/** After a fault of our own (a bug, an API error) nothing is hammered. */
const AFTER_ERROR_MS = 500;
const DECISIONS_KEPT = 10;

export interface GaleraLoopOptions {
  readonly stores: GaleraStores;
  readonly hands: GaleraHands;
  readonly network: Pick<Network, 'probe'>;
  readonly reading: () => GaleraReading;
  readonly writer: StatusWriter;
  readonly holdsLease: () => boolean;
  readonly log: Log;
  readonly clusters: () => number;
  readonly told: (record: DecisionRecord) => void;
  readonly decided: (ruleId: string) => void;
  readonly judged: (health: GaleraHealth | undefined, problem: string | undefined) => void;
}

export class GaleraLoop {
  private memory: GaleraMemory = NO_GALERA_MEMORY;
  private decisions: DecisionRecord[] = [];
  private lastRule = '';
  private recalled = false;
  private readonly rounds: Rounds;
  private readonly watches: MemberWatches;
  private readonly missingRights: MissingRights;
  private readonly databases: GaleraDatabases;

  constructor(private readonly options: GaleraLoopOptions) {
    this.missingRights = new MissingRights(options.hands.clock);
    this.rounds = new Rounds(options.hands.clock);
    this.databases = new GaleraDatabases({ writer: options.writer, told: (record) => this.event(record) });
    this.watches = new MemberWatches(options.hands, () => this.nudge());
  }

  /** Something about the cluster changed: look now. */
  nudge(): void {
    this.rounds.nudge();
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.rounds.run(signal, () => this.tick().catch((problem: unknown) => this.failed(problem)));
    this.watches.close();
  }

  private async tick(): Promise<number> {
    const reading = this.options.reading();
    if (!reading.ok) {
      this.watches.follow([]);
      this.options.judged(undefined, reading.problem);
      return AT_REST.everyMs;
    }
    const { stores, hands, network, holdsLease } = this.options;
    this.watches.follow(galeraAddresses(stores, reading.document));
    const senses = { network, clock: hands.clock, report: (member: string) => this.watches.report(member) };
    const snapshot = await lookAtGalera(stores, senses, reading.document);
    const decision = decideGalera(snapshot, this.memory, hands.clock.nowMs(), holdsLease());
    this.memory = decision.memory;
    return this.follow(decision, reading.document);
  }

  private async follow(decision: GaleraDecision, contract: GaleraContract): Promise<number> {
    const health = judgeGalera(decision.facts, decision);
    this.options.judged(health, undefined);
    const [action] = decision.actions;
    if (action) await this.act(action, decision);
    else this.say(decision, health);
    if (this.options.holdsLease()) await this.write(decision, health);
    else this.standBack();
    return this.pauseAfter(decision, contract);
  }

  private pauseAfter({ checkAgainInMs, facts }: GaleraDecision, { members }: GaleraContract): number {
    const rest = pauseOf(AT_REST, this.options.clusters());
    const usual = facts.synced.length < members.length ? Math.min(UNWELL_MS, rest) : rest;
    return checkAgainInMs > 0 ? Math.min(checkAgainInMs, usual) : usual;
  }

  /** A rule that only holds is told once; where a person has to decide, by an Event too. */
  private say({ ruleId, because }: GaleraDecision, { phase }: GaleraHealth): void {
    if (ruleId === this.lastRule) return;
    this.lastRule = ruleId;
    this.options.log.info(because, { ruleId });
    this.options.decided(ruleId);
    if (phase === 'NeedsDecision' && this.options.holdsLease()) this.tell({ ruleId, because, done: false });
  }

  private async act(action: GaleraAction, { ruleId, because }: GaleraDecision): Promise<void> {
    const outcome = await this.attempt(action);
    const { done, detail, refused = false } = outcome;
    const { clock } = this.options.hands;
    this.options.log.info(because, { ruleId, action: action.kind, done, detail });
    this.options.decided(ruleId);
    this.lastRule = ruleId;
    if (done || refused) {
      this.memory = afterGaleraAction(this.memory, action, { refused, nowMs: clock.nowMs() });
    }
    this.remember(action, outcome);
    this.tell({ ruleId, because, action: action.kind, done, detail });
  }

  private async attempt(action: GaleraAction): Promise<GaleraOutcome> {
    try {
      return await executeGalera(this.options.hands, action);
    } catch (problem) {
      if (problem instanceof KubeError && problem.forbidden) this.lacks(problem);
      return { done: false, detail: (problem as Error).message };
    }
  }

  private remember(action: GaleraAction, { done, detail }: GaleraOutcome): void {
    const asked = 'request' in action ? action.request : undefined;
    if (asked !== undefined) this.memory = { ...this.memory, lastRequest: { asked, done, detail } };
  }

  /** The same thing tried again is one entry, with the time of the last try. */
  private tell(what: Omit<DecisionRecord, 'at'>): void {
    const record = { at: this.options.hands.clock.wall().toISOString(), ...what };
    const [last, ...older] = this.decisions;
    const again = last?.ruleId === record.ruleId && last.detail === record.detail;
    this.decisions = (again ? [record, ...older] : [record, ...this.decisions]).slice(0, DECISIONS_KEPT);
    this.options.told(record);
  }

  /** Another replica writes now; what it writes is not known here. */
  private standBack(): void {
    this.recalled = false;
    this.databases.forget();
  }

  private event(record: Omit<DecisionRecord, 'at'>): void {
    this.options.told({ at: this.options.hands.clock.wall().toISOString(), ...record });
  }

  private async write({ ruleId, because, actions, facts }: GaleraDecision, health: GaleraHealth): Promise<void> {
    await this.recall();
    const busy = actions.length > 0 || ruleId !== 'no-server-restart';
    const { lastRequest } = this.memory;
    await this.databases.tell(facts.writer?.report?.declared);
    await this.options.writer.write<GaleraStatus>({
      statusVersion: STATUS_VERSION,
      ...health,
      phase: busy && health.phase === 'Healthy' ? 'Updating' : health.phase,
      doing: busy ? { ruleId, because } : undefined,
      lastRequest, missingRights: this.missingRights.list(), decisions: this.decisions,
    }, lastRequest ? { lastRequest } : {});
  }

  /** What the last leader of the agent has written. */
  private async recall(): Promise<void> {
    if (this.recalled) return;
    const { memory, decisions } = await this.options.writer.recall();
    if (memory.lastRequest) this.memory = { lastRequest: memory.lastRequest, ...this.memory };
    this.decisions = [...this.decisions, ...decisions].slice(0, DECISIONS_KEPT);
    this.recalled = true;
  }

  private lacks(problem: KubeError): void {
    const right = this.missingRights.refused(problem);
    if (right === undefined) return;
    this.options.log.error('a right is missing', { right });
    this.options.told({ at: '', ruleId: 'right-missing', because: `The agent's Role does not allow ${right}.`, done: false });
  }

  private failed(problem: unknown): number {
    if (problem instanceof KubeError && problem.forbidden) this.lacks(problem);
    else this.options.log.error('galera loop', { problem: String((problem as Error).stack ?? problem) });
    return AFTER_ERROR_MS;
  }
}
