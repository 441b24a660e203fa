/** Carries out actions: one function per kind, each in a file of its own. */
import { clearLeader } from './clear-leader.js';
import { evictPod } from './evict-pod.js';
import { patchConfig } from './patch-config.js';
import { resumePoolers, whilePaused } from './pause-poolers.js';
import { rebuildMember } from './rebuild-member.js';
import { releaseLease } from './release-lease.js';
import { removeStaleRole } from './remove-stale-role.js';
import { restartMember } from './restart-member.js';
import { scaleToZero } from './scale-to-zero.js';
import { switchover } from './switchover.js';
import { refuseRequest } from './take-request.js';
import type { COMPONENT } from '../../../src/contract/labels.js';
import type { Log } from '../log.js';
import type { MemberSql } from '../member-sql.js';
import { wakePatroni } from './wake-patroni.js';
import type { FailoverAction } from '../model/actions.js';
import type { OperationsAction } from '../model/operations.js';
import type { Clock } from '../ports/clock.js';
import type { Kube, KubeObject } from '../ports/kube.js';
import type { Network } from '../ports/network.js';
import type { Patroni } from '../ports/patroni.js';

export interface Hands {
  readonly kube: Kube;
  readonly network: Network;
  readonly patroni: Patroni;
  readonly sql: Pick<MemberSql, 'session'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Pods of a cluster as the watch knows them; without a component its members. */
  pods(cluster: string, component?: Component): KubeObject[];
}

export interface Outcome {
  readonly done: boolean;
  /** What was done, or what stood against it. */
  readonly detail: string;
  /** Poolers may still be paused. */
  readonly poolersPaused?: boolean;
}

export type Component = typeof COMPONENT.member | typeof COMPONENT.pooler;

export type Action = FailoverAction | OperationsAction;

/** The primary changes or restarts: clients of poolers are to wait rather than to fail. */
export function interruptsClients(action: Action): boolean {
  if (action.kind === 'RestartMember') return action.role === 'primary';
  return action.kind === 'Switchover' || (action.kind === 'EvictPod' && action.evenPrimary);
}

export function execute(hands: Hands, action: Action): Promise<Outcome> {
  const work = () => perform(hands, action);
  return interruptsClients(action) ? whilePaused(hands, action.cluster, work) : work();
}

/** One for each kind: a kind without one does not compile. */
const EXECUTORS: {
  readonly [Kind in Action['kind']]: (hands: Hands, action: Extract<Action, { kind: Kind }>) => Promise<Outcome>
} = {
  ClearLeader: clearLeader,
  ReleaseLease: releaseLease,
  RemoveStaleRole: removeStaleRole,
  EvictPod: evictPod,
  Switchover: switchover,
  ScaleToZero: scaleToZero,
  PatchConfig: patchConfig,
  RestartMember: restartMember,
  RebuildMember: rebuildMember,
  ResumePoolers: resumePoolers,
  RefuseRequest: refuseRequest,
  WakePatroni: wakePatroni,
};

function perform(hands: Hands, action: Action): Promise<Outcome> {
  const executor = EXECUTORS[action.kind] as (hands: Hands, action: Action) => Promise<Outcome>;
  return executor(hands, action);
}
