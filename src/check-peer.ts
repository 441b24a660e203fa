import type { Finding } from './errors';
import type { NetworkPeer } from './network';
import { networkValid, peerViolations } from './rules/network-valid';
import { findingOf } from './rules/run';
import { checkShape } from './shape/findings';
import { allowFromShape } from './shape/postgres-props';

/** Everything that is wrong with a peer that `allowFrom()` adds. */
export function checkPeer(peer: NetworkPeer): Finding[] {
  const shape = checkShape(allowFromShape, { allowFrom: [peer] });
  if (shape.length > 0) return shape;
  return peerViolations(['allowFrom'], [peer]).map((violation) => findingOf(networkValid, violation));
}
