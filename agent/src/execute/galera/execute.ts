/** Carries out actions in a Galera cluster: one function for each kind. */
import { carryOutGrant } from './carry-out-grant.js';
import { confirmBootstrap } from './confirm-bootstrap.js';
import { evictFromGroup } from './evict-from-group.js';
import type { GaleraHands, GaleraOutcome } from './hands.js';
import { restartServer, setDataAside, stopServer } from './member-requests.js';
import { replaceMember, retireMember } from './replace-member.js';
import { refuseGaleraRequest, setWriter } from './set-writer.js';
import { storeGrant } from './store-grant.js';
import type { GaleraAction } from '../../model/galera/actions.js';
import { evict } from '../evict-pod.js';

/** A kind without one does not compile. */
const EXECUTORS: {
  readonly [Kind in GaleraAction['kind']]: (hands: GaleraHands, action: Extract<GaleraAction, { kind: Kind }>) => Promise<GaleraOutcome>
} = {
  EvictFromGroup: evictFromGroup,
  StoreGrant: storeGrant,
  CarryOutGrant: carryOutGrant,
  ConfirmBootstrap: confirmBootstrap,
  SetDataAside: setDataAside,
  StopServer: stopServer,
  SetWriter: setWriter,
  RefuseGaleraRequest: refuseGaleraRequest,
  ReplaceMember: replaceMember,
  RestartServer: restartServer,
  RetireMember: retireMember,
  EvictProxy: ({ kube }, { pod, uid }) => evict({ kube }, pod, uid),
};

export function executeGalera(hands: GaleraHands, action: GaleraAction): Promise<GaleraOutcome> {
  const executor = EXECUTORS[action.kind] as (hands: GaleraHands, action: GaleraAction) => Promise<GaleraOutcome>;
  return executor(hands, action);
}
