/** The primary, for whoever backs it up: a failover may be under way. */
import type { BackupOrder, BackupPorts } from './backup-work.js';
import { chooseMember, type MemberChoice } from './decide/backup-member.js';
import { leaderFacts, podFacts } from './model/objects.js';
import { KubeError } from './ports/kube.js';
import { leaderName } from '../../src/contract/names.js';

/** A failover and the return of a member fit in. */
const PRIMARY_LIMIT_MS = 90_000;
const LOOK_MS = 1_000;

type Wanted = Pick<BackupOrder, 'cluster' | 'target'>;

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
