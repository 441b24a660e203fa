/** Has Patroni copy a standby's data anew. Looks once more that it is a standby, and that there is a primary. */
import type { Hands, Outcome } from './executor.js';
import { leaderName } from '../../../src/contract/names.js';
import type { MemberReport } from '../model/facts.js';
import { askMember } from '../model/member-report.js';
import { addressesOf, leaderFacts, podFacts } from '../model/objects.js';
import type { RebuildMember } from '../model/operations.js';

/** Patroni answers when the copy has begun. */
const ANSWER_TIMEOUT_MS = 10_000;
const REPORT_TIMEOUT_MS = 3000;

/** Undefined: it may be rebuilt. */
async function objection(hands: Hands, action: RebuildMember): Promise<string | undefined> {
  const lease = leaderFacts(await hands.kube.get('configmaps', leaderName(action.cluster)));
  if (lease.pod === undefined || lease.pod === action.pod) return `${lease.pod ?? 'nobody'} holds the lease`;
  const addresses = addressesOf(hands.pods(action.cluster).map(podFacts));
  const report = async (name: string) => {
    const address = addresses.find(({ pod }) => pod === name);
    return address && askMember(hands.patroni, address, 0, REPORT_TIMEOUT_MS);
  };
  const [own, primary] = await Promise.all([report(action.pod), report(lease.pod)]);
  if (!isRunning(primary, 'primary')) return `${lease.pod} does not answer as a primary`;
  if (own?.role !== 'replica') return `${action.pod} does not answer as a standby`;
  return own.streaming && own.timeline === primary?.timeline ? `${action.pod} streams` : undefined;
}

function isRunning(report: MemberReport | undefined, role: MemberReport['role']): boolean {
  return report?.role === role && report.state === 'running';
}

export async function rebuildMember(hands: Hands, action: RebuildMember): Promise<Outcome> {
  const reason = await objection(hands, action);
  if (reason) return { done: false, detail: reason };
  const ip = hands.pods(action.cluster).map(podFacts).find((pod) => pod.uid === action.uid)?.ip;
  if (!ip) return { done: false, detail: `${action.pod} is another Pod by now` };
  const answer = await hands.patroni.send(ip, { method: 'POST', path: '/reinitialize', body: {} }, ANSWER_TIMEOUT_MS);
  if (answer.status === 200) return { done: true, detail: `${action.pod} copies its data anew` };
  return { done: false, detail: `Patroni refused to rebuild ${action.pod} (${answer.status}): ${answer.body.slice(0, 200)}` };
}
