/** What the actions in a Galera cluster work with, and how a member is asked and told. */
import type { Log } from '../../log.js';
import type { MemberTarget } from '../../model/galera/actions.js';
import { parseGaleraReport, type GaleraReport } from '../../model/galera/member.js';
import type { Position } from '../../model/galera/position.js';
import type { Clock } from '../../ports/clock.js';
import type { GaleraMembers } from '../../ports/galera-members.js';
import type { Kube } from '../../ports/kube.js';

export interface GaleraHands {
  readonly kube: Kube;
  readonly members: GaleraMembers;
  readonly clock: Clock;
  readonly log: Log;
  /** Signs requests that change something. */
  readonly key: () => Promise<string>;
}

export interface GaleraOutcome {
  readonly done: boolean;
  /** What was done, or what stood against it. */
  readonly detail: string;
  /** The member has said no: nothing was done there, and the same request will not be taken again. */
  readonly refused?: true;
}

/** A member tells its state from memory. */
const STATE_TIMEOUT_MS = 1000;
/** What it is told to do it has begun by then, or refused. */
const POST_TIMEOUT_MS = 5000;

export function no(detail: string): GaleraOutcome {
  return { done: false, detail };
}

/** Undefined: no answer, or not of this process. */
export async function askTarget(
  hands: Pick<GaleraHands, 'members' | 'clock'>, { member, ip, bootId }: MemberTarget,
): Promise<GaleraReport | undefined> {
  const takenAtMs = hands.clock.nowMs();
  try {
    const report = parseGaleraReport(member, await hands.members.state(ip, STATE_TIMEOUT_MS), takenAtMs);
    return report?.bootId === bootId ? report : undefined;
  } catch {
    return undefined;
  }
}

function textOf(body: string): string {
  try {
    return String((JSON.parse(body) as { error?: unknown }).error ?? body).slice(0, 300);
  } catch {
    return body.slice(0, 300);
  }
}

/** The body names the process, so that a successor does not take it. */
export async function tell(
  hands: GaleraHands, target: MemberTarget, path: string, body: object,
): Promise<GaleraOutcome> {
  const request = { path, body: { ...body, bootId: target.bootId }, key: await hands.key() };
  try {
    const answer = await hands.members.post(target.ip, request, POST_TIMEOUT_MS);
    if (answer.status === 200) return { done: true, detail: `${target.member} took ${path}` };
    const said = no(`${target.member} refused ${path} (${answer.status}): ${textOf(answer.body)}`);
    return answer.status === 409 ? { ...said, refused: true } : said;
  } catch (problem) {
    return no(`${target.member} gave no answer to ${path}: ${(problem as Error).message}`);
  }
}

/** As members write it: -1 and null where there is none. */
export function bodyOf(position: Position | undefined): { uuid: string | null; seqno: number } {
  return position ?? { uuid: null, seqno: -1 };
}
