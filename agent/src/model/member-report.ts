/** `GET /patroni` of a member -> what it says about itself. */
import type { MemberReport } from './facts.js';
import { numberOrNothing, parseJson, pendingChanges, textOrNothing } from './objects.js';
import type { Patroni } from '../ports/patroni.js';

function roleOf(role: unknown): MemberReport['role'] {
  if (role === 'primary' || role === 'master') return 'primary';
  if (role === 'standby_leader') return 'standby_leader';
  return role === 'replica' || role === 'sync_standby' || role === 'quorum_standby' ? 'replica' : 'other';
}

/** Members name themselves to the primary by their Pods' names. */
function streamsTo(replication: unknown): string[] {
  const senders: readonly unknown[] = Array.isArray(replication) ? replication : [];
  return (senders as ReadonlyArray<Readonly<Record<string, unknown>> | null>).flatMap((sender) => {
    const name = textOrNothing(sender?.application_name);
    return name !== undefined && sender?.state === 'streaming' ? [name] : [];
  });
}

export function parseReport(pod: string, text: string, takenAtMs: number): MemberReport | undefined {
  const answer = parseJson(text);
  const state = textOrNothing(answer?.state);
  if (!answer || state === undefined) return undefined;
  const xlog = (typeof answer.xlog === 'object' && answer.xlog !== null ? answer.xlog : {}) as Record<string, unknown>;
  return {
    pod,
    takenAtMs,
    state,
    role: roleOf(answer.role),
    streaming: answer.replication_state === 'streaming',
    timeline: numberOrNothing(answer.timeline),
    receivedLocation: numberOrNothing(xlog.received_location),
    replayedLocation: numberOrNothing(xlog.replayed_location),
    readsArchive: answer.replication_state === 'in archive recovery',
    streamsTo: streamsTo(answer.replication),
    location: numberOrNothing(xlog.location),
    pendingRestart: pendingChanges(answer),
  };
}

/**
 * Undefined: no answer, or none that could be read. `takenAtMs` is when the question left, so the answer is no older.
 */
export async function askMember(
  patroni: Patroni, member: { pod: string; ip: string }, takenAtMs: number, timeoutMs: number,
): Promise<MemberReport | undefined> {
  try {
    const answer = await patroni.get(member.ip, '/patroni', timeoutMs);
    return parseReport(member.pod, answer.body, takenAtMs);
  } catch {
    return undefined;
  }
}
