/**
 * Who may begin when no member serves. From: the positions of all members, recovered before any server starts, the
 * bootstraps that their data have followed, and the record of what was granted.
 *
 * Invariants: among data of the last bootstrap the highest position wins, and nothing else counts; -1 and the zero uuid
 * are no positions; never below where that bootstrap began; data from before a restore in place never count beside
 * those from after it; whatever is missing or contradicts is a reason to wait.
 * Members find the same by the same rules (galera_rules.py), so that neither can undo the other.
 */
import type { GaleraFacts, GaleraMemberFacts } from './facts.js';
import { numberOf, type Bootstrap, type Era, type GaleraReport } from '../../model/galera/member.js';
import type { Position } from '../../model/galera/position.js';
import { openGrant, type BootstrapRecord, type Grant } from '../../model/galera/record.js';

export type Choice =
  | { readonly kind: 'initial' | 'recovery'; readonly member: GaleraMemberFacts; readonly position: Position | undefined }
  | { readonly kind: 'none'; readonly why: string };

const none = (why: string): Choice => ({ kind: 'none', why });

interface Holder {
  readonly member: GaleraMemberFacts;
  readonly report: GaleraReport;
  /** Of the bootstrap that counts for its data. */
  readonly n: number;
  readonly id: string | undefined;
}

const list = (holders: readonly Holder[]): string => holders.map(({ member }) => member.name).join(', ');

/** Others in the view of a promotion have followed it too, though they may not have had the time to note it. */
function hasSurvived(report: GaleraReport, last: Bootstrap | undefined, record: BootstrapRecord): boolean {
  const grant = record.grants.find(({ id }) => id === last?.id);
  return grant?.kind === 'promotion' && grant.survivors.includes(report.member) && numberOf(report.bootstrap) === numberOf(last) - 1;
}

function reportsOf(facts: GaleraFacts): GaleraReport[] {
  return facts.listed.flatMap(({ report }) => report ?? []);
}

export function lastBootstrap(reports: readonly GaleraReport[]): Bootstrap | undefined {
  const all = reports.flatMap(({ bootstrap }) => bootstrap ?? []);
  return all.sort((a, b) => b.n - a.n)[0];
}

function holdersOf(facts: GaleraFacts, record: BootstrapRecord): Holder[] {
  const last = lastBootstrap(reportsOf(facts));
  return facts.listed.flatMap((member) => {
    const { report } = member;
    if (report?.data !== 'present') return [];
    const counts = hasSurvived(report, last, record) ? last : report.bootstrap;
    return [{ member, report, n: numberOf(counts), id: counts?.id }];
  });
}

/** All report. Those that have not been through what others have do not count; theirs is not known to be less. */
function eraOf(reports: readonly GaleraReport[]): Era {
  return reports.map(({ era }) => era).reduce((top, next) => (next.number > top.number ? next : top), { number: 0, by: '' });
}

function objectionToEras(reports: readonly GaleraReport[]): string | undefined {
  const top = eraOf(reports);
  const told = (found: readonly GaleraReport[]) => found.map(({ member }) => member).join(', ');
  const apart = reports.filter(({ era }) => era.number === top.number && era.by !== top.by);
  if (apart.length > 0) return `${told(apart)} has not been through ${top.by}, but through something else`;
  const behind = reports.filter(({ era, data }) => era.number < top.number && data === 'present');
  if (behind.length > 0) return `the data of ${told(behind)} are from before ${top.by}`;
  const missing = reports.every(({ data }) => data === 'empty') ? reports.filter(({ era }) => era.number < top.number) : [];
  return missing.length > 0 ? `no member has data, and ${told(missing)} has not been through ${top.by}` : undefined;
}

function newCluster(facts: GaleraFacts, record: BootstrapRecord): Choice {
  const unfinished = facts.listed.filter(({ report }) => report?.data === 'incomplete');
  if (unfinished.length > 0) return none(`no member has data, and ${unfinished.map(({ name }) => name).join(', ')} only an unfinished copy`);
  if (record.confirmed && record.era >= eraOf(reportsOf(facts)).number) return none('all volumes are empty, although this cluster had data before');
  const [first] = facts.listed;
  return first ? { kind: 'initial', member: first, position: undefined } : none('the contract lists no member');
}

/** A bootstrap was granted of which nothing is left: what was written under it may be lost. */
function grantIsLost(facts: GaleraFacts, grant: Grant | undefined): boolean {
  const reports = reportsOf(facts);
  if (!grant || grant.kind === 'initial' || grant.era !== eraOf(reports).number || reports.some(({ bootstrap }) => bootstrap?.id === grant.id)) return false;
  return reports.find(({ member }) => member === grant.member)?.data !== 'present';
}

function objectionToLast(facts: GaleraFacts, record: BootstrapRecord, newest: number): string | undefined {
  const grant = openGrant(record);
  const era = eraOf(reportsOf(facts)).number;
  if (era < record.era) return 'the cluster was restored in place or put back since, and nobody has data of that';
  if (era === record.era && newest < numberOf(record.confirmed)) {
    return `the cluster was bootstrapped ${numberOf(record.confirmed)} times, and nobody has data of the last time`;
  }
  const ahead = reportsOf(facts).filter(({ data, bootstrap }) => data === 'incomplete' && numberOf(bootstrap) > newest);
  if (ahead.length > 0) return `${ahead.map(({ member }) => member).join(', ')} has an unfinished copy of data that nobody has`;
  return grantIsLost(facts, grant) ? `${grant!.member} was let begin, and its data are gone` : undefined;
}

function objectionToCandidates(candidates: readonly Holder[]): string | undefined {
  const unknown = candidates.filter(({ report }) => report.position === undefined);
  if (unknown.length > 0) return `the position of ${list(unknown)} is not known`;
  if (new Set(candidates.map(({ id }) => id)).size > 1) return `${list(candidates)} were bootstrapped apart from each other`;
  const histories = new Set(candidates.map(({ report }) => report.position!.uuid));
  return histories.size > 1 ? `${list(candidates)} have data of different histories` : undefined;
}

/** Of equals the first in the order of the contract, so that everybody finds the same. */
function highest(candidates: readonly Holder[]): Holder {
  return candidates.reduce((best, next) => (next.report.position!.seqno > best.report.position!.seqno ? next : best));
}

function objectionToBest(
  facts: GaleraFacts, { member, report }: Holder, last: Bootstrap | undefined,
): string | undefined {
  const position = report.position!;
  const start = last?.position;
  if (start && (start.uuid !== position.uuid || position.seqno < start.seqno)) {
    return `${member.name} is at ${position.seqno}, below the last bootstrap at ${start.seqno}`;
  }
  const lost = facts.listed.filter(({ name, report: other }) => report.lastView.includes(name) && other?.data === 'empty');
  return lost.length > 0 ? `the data of ${lost.map(({ name }) => name).join(', ')} are gone, and it was in the last component that could write` : undefined;
}

/** All listed members wait, and none has a server. */
export function chooseBootstrap(facts: GaleraFacts, record: BootstrapRecord): Choice {
  const eras = objectionToEras(reportsOf(facts));
  if (eras) return none(eras);
  const holders = holdersOf(facts, record);
  if (holders.length === 0) return newCluster(facts, record);
  const newest = Math.max(...holders.map(({ n }) => n));
  const candidates = holders.filter(({ n }) => n === newest);
  const objection = objectionToLast(facts, record, newest) ?? objectionToCandidates(candidates);
  if (objection) return none(objection);
  const best = highest(candidates);
  const last = candidates.flatMap(({ report }) => report.bootstrap ?? []).find(({ n }) => n === newest);
  const doubt = objectionToBest(facts, best, last);
  return doubt ? none(doubt) : { kind: 'recovery', member: best.member, position: best.report.position };
}

/** Grants that came after the last bootstrap that these data have followed; a part of them may never have begun. */
function grantsSince(report: GaleraReport, record: BootstrapRecord | undefined): readonly Grant[] {
  const grants = record?.grants ?? [];
  return grants.slice(grants.findIndex(({ id }) => id === report.bootstrap?.id) + 1);
}

/**
 * Whether a waiting member's data are no part of what the others serve: another history, or more than what there was
 * when others began without it. Undefined: they are a part, or there are none.
 */
export function foreignTo(
  report: GaleraReport, primary: GaleraReport, record: BootstrapRecord | undefined,
): string | undefined {
  if (report.data !== 'present') return undefined;
  const { position } = report;
  if (!position) return 'the position of its data is not known';
  if (report.era.number !== primary.era.number) return 'its data are of another era';
  if (position.uuid !== primary.position?.uuid) return 'its data are of another history';
  if (report.bootstrap?.id === primary.bootstrap?.id) return undefined;
  return beyond(position.seqno, primary, grantsSince(report, record));
}

/** More than what there was when others began without it. */
function beyond(seqno: number, { bootstrap }: GaleraReport, grants: readonly Grant[]): string | undefined {
  const begun = [...(bootstrap ? [bootstrap] : []), ...grants];
  const first = Math.min(...begun.map(({ position }) => position?.seqno ?? -1));
  return seqno > first ? `its data end at ${seqno}, and others began without it at ${first}` : undefined;
}
