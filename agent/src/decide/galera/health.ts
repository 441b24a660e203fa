/** How a Galera cluster is, for the status, the metrics and the agent's readiness. Ready is not highly available. */
import { galeraTrouble, type GaleraFacts, type GaleraMemberFacts } from './facts.js';
import { numberOf } from '../../model/galera/member.js';
import type { GaleraHealth, GaleraMemberStatus, GaleraPhase } from '../../model/galera/status.js';

/** Rules after which nothing happens until a person has decided. */
const NEEDS_PERSON: readonly string[] = [
  'choice-unclear', 'two-components', 'newer-data', 'members-missing', 'quorum-unclear', 'quorum-untold', 'survivors-apart',
];

function roleOf(facts: GaleraFacts, member: GaleraMemberFacts): GaleraMemberStatus['role'] {
  if (!facts.primaries.includes(member)) return 'none';
  return member === facts.writer ? 'writer' : 'member';
}

function stateOf({ object, report }: GaleraMemberFacts): string {
  if (report) return report.phase;
  return object ? object.containerReason ?? object.container : 'missing';
}

function memberStatus(facts: GaleraFacts, member: GaleraMemberFacts): GaleraMemberStatus {
  const { name, pod, object, report, template } = member;
  return {
    name, pod, node: object?.node,
    role: roleOf(facts, member),
    state: stateOf(member),
    why: member.synced ? '' : galeraTrouble(member),
    synced: member.synced,
    position: report?.position,
    bootstrap: numberOf(report?.bootstrap),
    templateCurrent: template === 'unknown' ? 'unknown' : template === 'current',
    pendingRestart: report?.pendingRestart ?? [],
  };
}

/** Members and arbitrator in the largest view that is told. */
function viewSize(facts: GaleraFacts): number {
  return Math.max(0, ...facts.primaries.map(({ report }) => Object.keys(report!.wsrep!.view).length));
}

/** A node that carries half of the view takes the quorum with it. */
function crowdedNode(facts: GaleraFacts): string | undefined {
  const size = viewSize(facts);
  const nodes = facts.primaries.flatMap(({ object }) => object?.node ?? []);
  return nodes.find((node) => nodes.filter((other) => other === node).length * 2 >= size);
}

/** Undefined: highly available. */
function whatIsMissing(facts: GaleraFacts): string | undefined {
  if (facts.primaries.length === 0) return 'no member may write';
  if (!facts.writer || !facts.primaries.includes(facts.writer)) return 'no member takes writes';
  const unwell = facts.listed.filter(({ synced }) => !synced);
  if (unwell.length > 0) return unwell.map(galeraTrouble).join(', ');
  if (facts.listed.length === 1) return 'the cluster has one member, so nobody can take over';
  if (viewSize(facts) < 3) return 'two votes are no majority when one of them is lost';
  const node = crowdedNode(facts);
  return node ? `${node} carries half of the members, so its loss stops the cluster` : undefined;
}

function phaseOf(facts: GaleraFacts, ruleId: string, missing: string | undefined): GaleraPhase {
  if (NEEDS_PERSON.includes(ruleId)) return 'NeedsDecision';
  if (facts.primaries.length === 0) return facts.record && !facts.record.confirmed ? 'Forming' : 'NoPrimary';
  if (!facts.writer || !facts.primaries.includes(facts.writer)) return 'NoPrimary';
  const isWhole = missing === undefined || facts.listed.every(({ synced }) => synced);
  return isWhole ? 'Healthy' : 'Degraded';
}

/** `ruleId`: of the last decision. */
export function judgeGalera(
  facts: GaleraFacts, { ruleId, because }: { ruleId: string; because: string },
): GaleraHealth {
  const members = facts.listed.map((member) => memberStatus(facts, member));
  if (facts.snapshot.pods === 'unknown') {
    return { phase: 'Unknown', highlyAvailable: false, why: 'the Pods cannot be read', writer: undefined, members };
  }
  const missing = whatIsMissing(facts);
  const phase = phaseOf(facts, ruleId, missing);
  const serves = phase !== 'NeedsDecision' && facts.primaries.length > 0;
  return {
    phase, members,
    highlyAvailable: serves && missing === undefined,
    why: serves ? missing ?? 'all members are synced' : because,
    writer: facts.writerRow?.member,
  };
}
