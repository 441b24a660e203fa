import { isIP } from 'node:net';
import type { NetworkPeer } from '../network';
import { isLabelValue, isQualifiedName } from './names';
import type { PostgresRule, Violation } from './rule';

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  // Node also takes a zone (fe80::1%eth0), Kubernetes does not.
  const family = address.includes('%') ? 0 : isIP(address);
  return family !== 0 && rest.length === 0 && /^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

interface Selector {
  readonly matchLabels?: { readonly [key: string]: string };
}

interface PeerManifest {
  readonly ipBlock?: { readonly cidr: string };
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
}

type Problem = Omit<Violation, 'path'>;

function selectorProblem({ matchLabels = {} }: Selector): Problem | undefined {
  const labels = Object.entries(matchLabels);
  if (labels.length === 0) {
    return {
      problem: 'no label is named',
      consequence: 'Without a label, every Pod of the namespace is meant',
      fix: 'Name a label, or use NetworkPeer.ownNamespace() if every Pod is meant',
    };
  }
  const broken = labels.find(([key, value]) => !isQualifiedName(key) || !isLabelValue(value));
  return broken && { problem: `${JSON.stringify(broken.join(': '))} is not a label that Pods or namespaces can have` };
}

function peerProblem({ ipBlock, podSelector, namespaceSelector }: PeerManifest): Problem | undefined {
  if (ipBlock && !isCidr(ipBlock.cidr)) return { problem: `${JSON.stringify(ipBlock.cidr)} is not a range of addresses` };
  return [podSelector, namespaceSelector]
    .flatMap((selector) => (selector?.matchLabels ? [selectorProblem(selector)] : []))
    .find((problem) => problem !== undefined);
}

/** Also used for peers that `allowFrom()` adds later. */
export function peerViolations(path: Array<string | number>, peers: readonly NetworkPeer[] = []): Violation[] {
  return peers.flatMap((peer, index) => {
    const problem = peerProblem(peer._toManifest());
    return problem ? [{ path: [...path, index], ...problem }] : [];
  });
}

export const networkValid: PostgresRule = {
  code: 'EV1505',
  title: 'A network peer that Kubernetes would refuse',
  cause: 'A range of addresses does not parse (10.0.0.0/16), a label is none that a Pod or namespace can have, or no label is named.',
  consequence: 'The NetworkPolicy would be refused, and the members would stand open',
  fix: 'Write a range with its mask, and labels as Kubernetes has them',
  check: ({ props }) => (['allowFrom', 'apiServer', 'dns'] as const)
    .flatMap((field) => peerViolations(['network', field], props.network?.[field])),
};
