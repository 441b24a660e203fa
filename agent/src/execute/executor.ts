/** Carries out actions: one function per kind, each in a file of its own. */
import { clearLeader } from './clear-leader.js';
import { evictPod } from './evict-pod.js';
import { patchConfig } from './patch-config.js';
import { resumePoolers, whilePaused } from './pause-poolers.js';
import { refuseRequest } from './take-request.js';
import { removeStaleRole } from './remove-stale-role.js';
import { restartMember } from './restart-member.js';
import { scaleToZero } from './scale-to-zero.js';
import { switchover } from './switchover.js';
import type { COMPONENT } from '../../../src/contract/labels.js';
import type { Log } from '../log.js';
import type { FailoverAction } from '../model/actions.js';
import type { OperationsAction } from '../model/operations.js';
import type { Clock } from '../ports/clock.js';
import type { Kube, KubeObject } from '../ports/kube.js';
import type { Network } from '../ports/network.js';
import type { MemberSql } from '../member-sql.js';
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
  return interruptsClients(action) ? whilePaused(hands, action.cluster, () => perform(hands, action)) : perform(hands, action);
}

function perform(hands: Hands, action: Action): Promise<Outcome> {
  switch (action.kind) {
    case 'ClearLeader': return clearLeader(hands, action);
    case 'RemoveStaleRole': return removeStaleRole(hands, action);
    case 'EvictPod': return evictPod(hands, action);
    case 'Switchover': return switchover(hands, action);
    case 'ScaleToZero': return scaleToZero(hands, action);
    case 'PatchConfig': return patchConfig(hands, action);
    case 'RestartMember': return restartMember(hands, action);
    case 'ResumePoolers': return resumePoolers(hands, action);
    case 'RefuseRequest': return refuseRequest(hands, action);
    default: return unknownAction(action);
  }
}

function unknownAction(action: never): never {
  throw new Error(`no executor for ${JSON.stringify(action)}`);
}
