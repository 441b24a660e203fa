/** The primary, for whoever backs it up: a failover may be under way. */
import type { BackupOrder, BackupPorts } from './backup-work.js';
import { chooseMember, type MemberChoice } from './decide/backup-member.js';
import { leaderFacts, podFacts } from './model/objects.js';
import { KubeError } from './ports/kube.js';
import { leaderName } from '../../src/contract/names.js';

/** How often it is asked whether a member still leads. */
const LEADS_LOOK_MS = 5_000;
/** A failover and the return of a member fit in. */
const PRIMARY_LIMIT_MS = 90_000;
const LOOK_MS = 1_000;

type Wanted = Pick<BackupOrder, 'cluster' | 'target'>;

/** A Pod of the same name may be its successor, on another node. */
export type Primary = Extract<MemberChoice, { readonly uid: string }>;

/** Who leads in its place; undefined where nobody is seen to. */
export function successorOf(primary: Primary, now: MemberChoice): string | undefined {
  return now.pod !== undefined && now.uid !== primary.uid ? now.pod : undefined;
}

export async function lookForPrimary(
  { kube }: BackupPorts, { cluster, target: wanted }: Wanted,
): Promise<MemberChoice> {
  try {
    const leader = leaderFacts(await kube.get('configmaps', leaderName(cluster)));
    const pod = leader.pod === undefined ? undefined : podFacts(await kube.get('pods', leader.pod));
    return chooseMember({ leader, pod, wanted });
  } catch (problem) {
    if (!(problem instanceof KubeError)) throw problem;
    return { pod: undefined, why: `the primary is not known (${problem.message})` };
  }
}

/** Waits for one. */
export async function untilPrimary(ports: BackupPorts, wanted: Wanted, signal: AbortSignal): Promise<MemberChoice> {
  const { clock } = ports;
  const endMs = clock.nowMs() + PRIMARY_LIMIT_MS;
  for (;;) {
    const choice = await lookForPrimary(ports, wanted);
    if (choice.pod !== undefined || clock.nowMs() > endMs || signal.aborted) return choice;
    await clock.sleep(LOOK_MS, signal);
  }
}

/** Resolves with who leads in its place, or with nothing when the signal comes first. */
export async function untilSucceeded(
  ports: BackupPorts, wanted: Wanted, primary: Primary, signal: AbortSignal,
): Promise<string | undefined> {
  while (!signal.aborted) {
    await ports.clock.sleep(LEADS_LOOK_MS, signal);
    const successor = signal.aborted ? undefined : successorOf(primary, await lookForPrimary(ports, wanted));
    if (successor !== undefined) return successor;
  }
  return undefined;
}
