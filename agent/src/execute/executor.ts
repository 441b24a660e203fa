/** Carries out actions: one function per kind, each in a file of its own. */
import { clearLeader } from './clear-leader.js';
import { evictPod } from './evict-pod.js';
import { patchConfig } from './patch-config.js';
import { removeStaleRole } from './remove-stale-role.js';
import { restartMember } from './restart-member.js';
import { scaleToZero } from './scale-to-zero.js';
import { switchover } from './switchover.js';
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
  /** Pods of a cluster as the watch knows them. */
  pods(cluster: string): KubeObject[];
}

export interface Outcome {
  readonly done: boolean;
  /** What was done, or what stood against it. */
  readonly detail: string;
}

export type Action = FailoverAction | OperationsAction;

export function execute(hands: Hands, action: Action): Promise<Outcome> {
  switch (action.kind) {
    case 'ClearLeader': return clearLeader(hands, action);
    case 'RemoveStaleRole': return removeStaleRole(hands, action);
    case 'EvictPod': return evictPod(hands, action);
    case 'Switchover': return switchover(hands, action);
    case 'ScaleToZero': return scaleToZero(hands, action);
    case 'PatchConfig': return patchConfig(hands, action);
    case 'RestartMember': return restartMember(hands, action);
    default: return unknownAction(action);
  }
}

function unknownAction(action: never): never {
  throw new Error(`no executor for ${JSON.stringify(action)}`);
}
