/** The failover loop of one cluster: look, decide, act, look again. Runs on every replica of the agent. */
import { FAILOVER_DEFAULTS, type FailoverMemory } from './decide/failover-facts.js';
import { decideFailover, NO_MEMORY, type FailoverDecision } from './decide/failover.js';
import { execute, type Hands, type Outcome } from './execute/executor.js';
import type { Heartbeats } from './heartbeats.js';
import { LeaderLink } from './leader-link.js';
import type { Log } from './log.js';
import type { MemberSql } from './member-sql.js';
import type { FailoverAction } from './model/actions.js';
import type { FailoverSnapshot } from './model/facts.js';
import { isRenewal } from './model/objects.js';
import { isCalm, lookAt, type ClusterIdentity, type Stores, type Watching } from './observe/failover-view.js';
import { KubeError, type KubeObject } from './ports/kube.js';
import { Rounds } from './rounds.js';

/** After a fault of our own (a bug, an API error) nothing is hammered. */
const AFTER_ERROR_MS = 500;
/**
 * What a replica without the Lease gives the other one, before it looks closely: two at once ask everybody twice and
 * meet at the lease. If the other one is dead too, this is what its death costs.
 */
const SECOND_MS = 150;

export interface FailoverReport {
  readonly decision: FailoverDecision;
  readonly snapshot: FailoverSnapshot;
  readonly action?: FailoverAction['kind'];
  readonly outcome?: Outcome;
}

export interface FailoverLoopOptions {
  readonly stores: Stores;
  readonly hands: Hands & { readonly sql: Pick<MemberSql, 'prepare'> };
  /** Undefined while the contract cannot be read: then Patroni is left alone. */
  readonly identity: () => ClusterIdentity | undefined;
  readonly holdsLease: () => boolean;
  readonly log: Log;
  readonly heartbeats: Heartbeats;
  /** Told when a rule other than the last one fired, and after every action. */
  readonly report: (report: FailoverReport) => void;
  readonly lacks: (problem: KubeError) => void;
}

export class FailoverLoop {
  private memory: FailoverMemory = NO_MEMORY;
  private lastRule = '';
  private isPrepared = false;
  private readonly rounds: Rounds;
  private readonly link: LeaderLink;

  constructor(private readonly options: FailoverLoopOptions) {
    this.rounds = new Rounds(options.hands.clock);
    this.link = new LeaderLink(options.hands.network, options.heartbeats, () => this.nudge());
  }

  /** Something about the cluster changed: look now. */
  nudge(): void {
    this.rounds.nudge();
  }

  /** One of Patroni's ConfigMaps. That a lease was renewed is no news while its holder is heard. */
  noted(object: KubeObject, before: KubeObject | undefined): void {
    const isHeard = this.lastRule === 'leader-answers' && this.link.state === 'held' && !this.memory.suspicion;
    if (!isHeard || !this.isPrepared || !isRenewal(before, object)) this.nudge();
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.rounds.run(signal, async () =>
      await this.tick().catch((problem: unknown) => this.failed(problem)) || undefined);
    this.link.hold(undefined);
  }

  private async tick(): Promise<number> {
    const { stores, hands, identity, holdsLease } = this.options;
    const known = identity();
    if (!known) {
      this.link.hold(undefined);
      return 0;
    }
    if (!holdsLease() && !isCalm(stores, known, this.watching())) await hands.clock.sleep(SECOND_MS);
    const snapshot = await lookAt(stores, hands, known, this.watching());
    const decision = decideFailover(snapshot, this.memory, FAILOVER_DEFAULTS, hands.clock.nowMs());
    this.memory = decision.memory;
    this.follow(decision, snapshot);
    if (decision.ruleId !== this.lastRule && decision.actions.length === 0) this.say(decision, snapshot);
    this.lastRule = decision.ruleId;
    if (decision.ruleId === 'leader-answers') this.prepare();
    for (const action of decision.actions) {
      // What follows an action relies on it.
      if (!await this.act(action, decision, snapshot)) break;
    }
    return decision.checkAgainInMs;
  }

  private watching(): Watching {
    return { link: this.link.state, memory: this.memory };
  }

  /** The link goes to the holder as long as it answers; a mute one is asked by probes instead. */
  private follow({ ruleId, memory: { holder } }: FailoverDecision, { pods }: FailoverSnapshot): void {
    const pod = pods === 'unknown' ? undefined : pods.find(({ uid }) => uid === holder?.uid);
    const endpoint = holder && { ip: holder.ip, hostIp: pod?.hostIp };
    if (ruleId === 'leader-answers' || this.link.state === 'none') this.link.hold(endpoint);
    else if (holder === undefined) this.link.hold(undefined);
  }

  /** While all is well the password is read, which a fence needs later, and a missing right is noticed. */
  private prepare(): void {
    this.isPrepared = true;
    void this.options.hands.sql.prepare().catch((problem: unknown) => {
      this.isPrepared = false;
      this.failed(problem);
    });
  }

  private say(decision: FailoverDecision, snapshot: FailoverSnapshot): void {
    this.options.log.info(decision.because, { ruleId: decision.ruleId });
    this.options.report({ decision, snapshot });
  }

  private async act(action: FailoverAction, decision: FailoverDecision, snapshot: FailoverSnapshot): Promise<boolean> {
    const outcome = await execute(this.options.hands, action);
    const { done, detail } = outcome;
    this.options.log.info(decision.because, { ruleId: decision.ruleId, action: action.kind, done, detail });
    this.options.report({ decision, snapshot, action: action.kind, outcome });
    return outcome.done;
  }

  private failed(problem: unknown): number {
    if (problem instanceof KubeError && problem.forbidden) this.options.lacks(problem);
    this.options.log.error('failover loop', { problem: String((problem as Error).stack ?? problem) });
    return AFTER_ERROR_MS;
  }
}
