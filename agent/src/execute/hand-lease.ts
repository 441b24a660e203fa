/**
 * Frees the lease of a lost primary, or better: gives it to the standby that Patroni would elect, where that is known
 * for sure. Then nobody stands for election, nobody waits for a dark member in it, and all the others follow at once.
 */
import type { Hands } from './executor.js';
import { LABEL, ROLE } from '../../../src/contract/labels.js';
import { failoverName, leaderName } from '../../../src/contract/names.js';
import { heirOf, type Estate } from '../model/heir.js';
import { podFacts } from '../model/objects.js';
import type { KubeObject } from '../ports/kube.js';

export interface Lost {
  readonly cluster: string;
  readonly pod: string;
  readonly uid: string;
}

/** The request of a switchover breaks ties; it is no matter of safety, so it may be missing. */
export async function askedFor(hands: Hands, { cluster, pod }: Lost): Promise<string | undefined> {
  const request = await hands.kube.get('configmaps', failoverName(cluster)).catch(() => undefined);
  const { leader, member } = request?.metadata.annotations ?? {};
  return leader === pod ? member : undefined;
}

export async function chooseHeir(
  hands: Hands, lost: Lost, { voters, needed }: Pick<Estate, 'voters' | 'needed'>, asking = askedFor(hands, lost),
): Promise<string | undefined> {
  if (voters.length < needed) return undefined;
  const lostNode = hands.pods(lost.cluster).map(podFacts).find(({ uid }) => uid === lost.uid)?.node;
  return heirOf({ voters, needed, lostNode, asked: await asking })?.pod;
}

/** As Patroni writes it when it takes the lease; without an heir it is free. */
function annotations(hands: Hands, lease: KubeObject, heir: string | undefined): Record<string, string | null> {
  if (heir === undefined) return { leader: null };
  const now = hands.clock.wall().toISOString();
  const transitions = Number.parseInt(lease.metadata.annotations?.transitions ?? '0', 10) || 0;
  return { leader: heir, acquireTime: now, renewTime: now, transitions: String(transitions + 1) };
}

/** Compare-and-swap on the lease as it was read: a conflict is thrown. Returns what was done, in words. */
export async function handLease(
  hands: Hands, { cluster, pod }: Lost, lease: KubeObject, heir: string | undefined,
): Promise<string> {
  const metadata = { resourceVersion: lease.metadata.resourceVersion, annotations: annotations(hands, lease, heir) };
  await hands.kube.patch('configmaps', leaderName(cluster), { metadata });
  if (heir === undefined) return `cleared the lease of ${pod}`;
  await label(hands, cluster, heir);
  return `gave the lease of ${pod} to ${heir}`;
}

/**
 * Patroni does this too, some 150 ms later, and the old primary gives up its own label as soon as it sees the lease. A
 * Service that has no endpoints in between keeps clients waiting for a second: kube-proxy rejects them by ICMP, of
 * which Linux sends few.
 */
async function label(hands: Hands, cluster: string, heir: string): Promise<void> {
  const pod = hands.pods(cluster).find(({ metadata }) => metadata.name === heir);
  const metadata = { uid: pod?.metadata.uid, labels: { [LABEL.role]: ROLE.primary } };
  await hands.kube.patch('pods', heir, { metadata }).catch((problem: unknown) => {
    hands.log.warn('could not label the heir', { pod: heir, problem: String(problem) });
  });
}
