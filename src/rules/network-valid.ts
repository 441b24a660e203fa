import { isIP } from 'node:net';
import type { NetworkPeer } from '../network';
import { isLabelValue, isQualifiedName } from './names';
import type { PostgresRule, Violation } from './rule';

function isCidr(text: unknown): boolean {
  const [address, bits, ...rest] = String(text).split('/');
  const family = isIP(address!);
  return family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits ?? '') && Number(bits) <= (family === 4 ? 32 : 128);
}

type Selector = { readonly matchLabels?: { readonly [key: string]: string } };

function peerProblem(peer: NetworkPeer): string | undefined {
  const manifest = peer._toManifest() as { ipBlock?: { cidr: string }; podSelector?: Selector; namespaceSelector?: Selector };
  if (manifest.ipBlock) {
    return isCidr(manifest.ipBlock.cidr) ? undefined : `${JSON.stringify(manifest.ipBlock.cidr)} is not a range of addresses`;
  }
  const labels = [manifest.podSelector, manifest.namespaceSelector].flatMap((selector) => Object.entries(selector?.matchLabels ?? {}));
  const broken = labels.find(([key, value]) => !isQualifiedName(key) || !isLabelValue(value));
  return broken && `${broken[0]}: ${JSON.stringify(broken[1])} is not a label that Pods or namespaces can have`;
}

/** Also used for peers that `allowFrom()` adds later. */
export function peerViolations(path: Array<string | number>, peers: readonly NetworkPeer[] = []): Violation[] {
  return peers.flatMap((peer, index) => {
    const problem = peerProblem(peer);
    return problem ? [{ path: [...path, index], problem }] : [];
  });
}

export const networkValid: PostgresRule = {
  code: 'EV1505',
  title: 'A network peer that Kubernetes would refuse',
  cause: 'A range of addresses does not parse (10.0.0.0/16), or a label is none that a Pod or namespace can have.',
  consequence: 'The NetworkPolicy would be refused, and the members would stand open',
  fix: 'Write a range with its mask, and labels as Kubernetes has them',
  check: ({ props }) => (['allowFrom', 'apiServer', 'dns'] as const)
    .flatMap((field) => peerViolations(['network', field], props.network?.[field])),
};
