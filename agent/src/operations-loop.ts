/**
 * Planned work of one cluster, on the replica that holds the Lease: read, decide, act, write down. Other replicas only
 * keep the health, for their readiness and their metrics.
 */
import { mayBeRefused } from './decide/config.js';
import { judge, type Health } from './decide/health.js';
import { atRest, decideOperations, mayHaveWork, type OperationsDecision } from './decide/operations.js';
import { execute, interruptsClients, type Hands, type Outcome } from './execute/executor.js';
import { pausablePoolers } from './execute/pause-poolers.js';
import type { Log } from './log.js';
import { MissingRights } from './missing-rights.js';
import type { ContractReading } from './model/contract.js';
import type { OperationsAction, OperationsMemory, OperationsSnapshot, Standstill } from './model/operations.js';
import { STATUS_VERSION, type ClusterStatus, type DecisionRecord } from './model/status.js';
import { askAll, readForks, readOperations, type OperationsStores } from './observe/operations-view.js';
import { askRefusals } from './observe/refusals.js';
import { Standstills } from './observe/standstills.js';
import { KubeError } from './ports/kube.js';
import { Rounds } from './rounds.js';
import type { StatusWriter } from './status-writer.js';

/** With nothing to do; changes wake the loop. A look now and then finds what no watch tells. */
const AT_REST_MS = 30_000;
const AFTER_ERROR_MS = 3_000;
/** Changes come in bunches: a renewal of the lease, then Pods. In a failover nobody is asked while an heir promotes. */
const BUNCH_MS = 250;
const DECISIONS_KEPT = 10;

export interface OperationsLoopOptions {
  readonly stores: OperationsStores;
  readonly hands: Hands;
  readonly reading: () => ContractReading;
  readonly writer: StatusWriter;
  readonly holdsLease: () => boolean;
  readonly log: Log;
  readonly told: (record: DecisionRecord) => void;
  readonly judged: (health: Health | undefined, problem: string | undefined) => void;
}

function answerTo(action: OperationsAction, { done, detail }: Outcome): Pick<OperationsMemory, 'lastRequest'> {
  const asked = action.kind === 'Switchover' || action.kind === 'RefuseRequest' ? action.request : undefined;
  return asked === undefined ? {} : { lastRequest: { asked, done, detail } };
}

export class OperationsLoop {
  private memory: OperationsMemory | undefined;
  private decisions: DecisionRecord[] = [];
  private lastRule = '';
  private readonly rounds: Rounds;
  private readonly standstills: Standstills;
  /** As of the last close look. */
  private standing: readonly Standstill[] = [];
  /** When each was last refused; what is granted later drops out by itself. */
  private readonly missingRights: MissingRights;

  constructor(private readonly options: OperationsLoopOptions) {
    this.rounds = new Rounds(options.hands.clock, BUNCH_MS);
    this.missingRights = new MissingRights(options.hands.clock);
    this.standstills = new Standstills(options.hands);
  }

  nudge(): void {
    this.rounds.nudge();
  }

  /** From the failover loop, or from here. */
  note(record: DecisionRecord): void {
    this.remember(record);
    this.nudge();
  }

  /** The same thing tried again is one entry, with the time of the last try. */
  private remember(record: DecisionRecord): void {
    const [last, ...older] = this.decisions;
    const again = last?.ruleId === record.ruleId && last.detail === record.detail;
    this.decisions = (again ? [record, ...older] : [record, ...this.decisions]).slice(0, DECISIONS_KEPT);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.rounds.run(signal, () => this.tick().catch((problem: unknown) => this.failed(problem)));
  }

  private async tick(): Promise<number> {
    const reading = this.options.reading();
    if (!reading.ok) {
      this.options.judged(undefined, reading.problem);
      if (this.options.holdsLease()) await this.writeRefused(reading.problem);
      return AT_REST_MS;
    }
    const rest = readOperations(this.options.stores, reading.document);
    this.options.judged(judge(rest), undefined);
    if (!this.options.holdsLease()) {
      this.memory = undefined;
      return AT_REST_MS;
    }
    await this.recall();
    return this.work(rest);
  }

  private async work(rest: OperationsSnapshot): Promise<number> {
    const { hands } = this.options;
    // Members are asked only when something differs: at rest the watches are enough.
    const snapshot = mayHaveWork(rest, this.memory!) ? await this.lookClosely(rest) : undefined;
    if (!snapshot) this.standstills.forget();
    this.standing = snapshot?.standstills ?? [];
    const memory = this.memory!;
    const decision = snapshot ? decideOperations(snapshot, memory, hands.clock.nowMs()) : atRest(rest, memory);
    const pause = decision.actions.length > 0 ? await this.act(decision) : this.hold(decision);
    await this.write(decision);
    return pause;
  }

  private async lookClosely(rest: OperationsSnapshot): Promise<OperationsSnapshot> {
    const { hands } = this.options;
    // What the last leader of the agent changed, this one gives as long as if it had been done now.
    if (mayBeRefused(this.memory!)) this.memory = { patchedAtMs: hands.clock.nowMs(), ...this.memory };
    const [reports, refusals] = await Promise.all([
      askAll(hands, rest.pods === 'unknown' ? [] : rest.pods), askRefusals(hands, rest, this.memory!),
    ]);
    const seen = { ...rest, reports, refusals };
    const forks = readForks(this.options.stores, rest.cluster);
    const standstills = await this.standstills.look(seen, forks, hands.clock.nowMs());
    return { ...seen, standstills };
  }

  private async write(decision: OperationsDecision): Promise<void> {
    const reading = this.options.reading();
    if (!reading.ok) return;
    const seen = readOperations(this.options.stores, reading.document);
    const health = judge({ ...seen, standstills: this.standing }, this.memory?.mended);
    await this.options.writer.write(this.status(health, decision), this.memory ?? {});
  }

  private hold(decision: OperationsDecision): number {
    this.memory = decision.memory;
    if (decision.ruleId !== this.lastRule) this.options.log.info(decision.because, { ruleId: decision.ruleId });
    this.lastRule = decision.ruleId;
    return decision.checkAgainInMs || AT_REST_MS;
  }

  /** Before the action what it will need afterwards is written down, so that a crash in between loses nothing. */
  private async act(decision: OperationsDecision): Promise<number> {
    const [action] = decision.actions as [OperationsAction];
    await this.announcePause(action, decision);
    const outcome = await execute(this.options.hands, action);
    const { done, detail } = outcome;
    this.options.log.info(decision.because, { ruleId: decision.ruleId, action: action.kind, done, detail });
    this.memory = this.afterAction(action, outcome, decision);
    this.lastRule = decision.ruleId;
    this.tell(decision, action, outcome);
    return decision.checkAgainInMs;
  }

  /** Without the record there is no pause: nobody would end it if this process died. */
  private async announcePause(action: OperationsAction, decision: OperationsDecision): Promise<void> {
    if (!interruptsClients(action) || pausablePoolers(this.options.hands, action.cluster).length === 0) return;
    this.memory = { ...this.memory, poolersPaused: true };
    await this.write(decision);
  }

  private afterAction(action: OperationsAction, outcome: Outcome, decision: OperationsDecision): OperationsMemory {
    const { poolersPaused: _, ...memory } = outcome.done ? decision.memory : this.memory!;
    const settled: OperationsMemory = {
      ...memory, ...answerTo(action, outcome), ...(outcome.poolersPaused ? { poolersPaused: true } : {}),
    };
    if (outcome.done) return settled;
    const tried = { ...settled, lastActionAtMs: this.options.hands.clock.nowMs() };
    return action.kind === 'RestartMember' && outcome.detail.includes('did not restart') ? { ...tried, restartFailed: action.pod } : tried;
  }

  private tell(decision: OperationsDecision, action: OperationsAction, outcome: Outcome): void {
    const record: DecisionRecord = {
      at: this.options.hands.clock.wall().toISOString(),
      ruleId: decision.ruleId, because: decision.because,
      action: action.kind, done: outcome.done, detail: outcome.detail,
    };
    this.remember(record);
    this.options.told(record);
  }

  private status(health: Health, decision: OperationsDecision): ClusterStatus {
    const busy = decision.actions.length > 0 || decision.ruleId !== 'no-restart-pending';
    return {
      statusVersion: STATUS_VERSION,
      ...health,
      phase: busy && health.phase === 'Healthy' ? 'Updating' : health.phase,
      doing: busy ? { ruleId: decision.ruleId, because: decision.because } : undefined,
      lastRequest: this.memory?.lastRequest,
      refusedParameters: this.memory?.refused ?? {},
      missingRights: this.missingRights.list(),
      decisions: this.decisions,
    };
  }

  private async writeRefused(problem: string): Promise<void> {
    await this.options.writer.write<ClusterStatus>({
      statusVersion: STATUS_VERSION, phase: 'ContractRefused', highlyAvailable: false, why: `the contract is refused: ${problem}`,
      primary: undefined, synchronousStandbys: [], members: [], doing: undefined, lastRequest: undefined,
      refusedParameters: {}, missingRights: [], decisions: this.decisions,
    }, this.memory ?? {});
  }

  private async recall(): Promise<void> {
    if (this.memory) return;
    const { memory, decisions } = await this.options.writer.recall();
    this.memory = memory;
    this.decisions = [...this.decisions, ...decisions].slice(0, DECISIONS_KEPT);
  }

  /** A right that the Role does not give: the status names it, whoever needed it. */
  lacks(problem: KubeError): void {
    const right = this.missingRights.refused(problem);
    if (right === undefined) return;
    this.options.log.error('a right is missing', { right });
    this.options.told({ at: '', ruleId: 'right-missing', because: `The agent's Role does not allow ${right}.`, done: false });
    this.nudge();
  }

  private failed(problem: unknown): number {
    if (problem instanceof KubeError && problem.forbidden) this.lacks(problem);
    else this.options.log.error('operations loop', { problem: String((problem as Error).stack ?? problem) });
    return AFTER_ERROR_MS;
  }
}
