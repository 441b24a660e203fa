/**
 * HAProxy's Pods on a node that has gone. Until the node counts as lost, 40 s and more, the Services go on to send
 * clients there, each of whom waits for a time-out.
 *
 * From: the proxies' ports, tried while a member is silent. Invariants: only one that is silent together with the
 * member on its node, while another proxy answers in the same look; by the Eviction API, so that the budget counts.
 * Not here: proxies on nodes without a member, which wait for Kubernetes.
 */
import { isAll, type GaleraFacts } from './facts.js';
import type { GaleraAction } from '../../model/galera/actions.js';
import type { ProxyFacts } from '../../model/galera/snapshot.js';
import type { Row, RuleTable } from '../rule-table.js';

/** Looks in a row that must agree; each waits 150 ms for an answer, and they are 250 ms apart. */
const SILENCES_NEEDED = 2;
const WAIT_MS = 1000;

/** Nodes of members all of whose ports are silent. */
function silentNodes({ snapshot, members }: GaleraFacts): string[] {
  const silent = snapshot.reach.filter((reach) => isAll(reach, 'silent')).map(({ member }) => member);
  return members.flatMap(({ name, object }) => (silent.includes(name) ? object?.node ?? [] : []));
}

function lost(facts: GaleraFacts): ProxyFacts | undefined {
  const { snapshot: { proxies }, memory: { silentProxies } } = facts;
  if (!proxies.some(({ reach }) => reach === 'answers')) return undefined;
  const nodes = silentNodes(facts);
  return proxies.find(({ uid, node, deleting }) => (
    !deleting && node !== undefined && nodes.includes(node) && (silentProxies[uid] ?? 0) >= SILENCES_NEEDED
  ));
}

function evictLost(facts: GaleraFacts): GaleraAction[] {
  const { pod, uid } = lost(facts)!;
  return [{ kind: 'EvictProxy', cluster: facts.snapshot.cluster, pod, uid }];
}

const rows: Array<Row<GaleraFacts, GaleraAction>> = [
  {
    id: 'proxy-lost',
    when: 'a proxy and the member on its node are silent, and another proxy answers',
    matches: (f) => lost(f) !== undefined,
    then: evictLost,
    because: (f) => `${lost(f)!.pod} is silent, as is the member on ${lost(f)!.node!}, and Services still send clients there.`,
    checkAgainInMs: () => WAIT_MS,
    actions: ['EvictProxy'],
  },
  {
    id: 'proxies-answer',
    when: 'anything else',
    matches: () => true,
    because: () => 'No proxy is known to be lost.',
    checkAgainInMs: () => WAIT_MS,
    then: () => [],
    actions: [],
    goOn: true,
  },
];

export const PROXY_TABLE: RuleTable<GaleraFacts, GaleraAction> = {
  name: 'galera proxies',
  purpose: 'Whether a proxy on a lost node is taken out of the Services at once. Runs on every replica of the agent.',
  rows,
};
