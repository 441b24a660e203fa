/** Writes down the last bootstrap under which a component serves, so that nobody ever goes below it. */
import { askTarget, no, type GaleraHands, type GaleraOutcome } from './hands.js';
import { readRecord, writeRecord } from './record.js';
import type { ConfirmBootstrap } from '../../model/galera/actions.js';
import { isLater, isSynced } from '../../model/galera/member.js';

export async function confirmBootstrap(
  hands: GaleraHands, { cluster, target, recordVersion }: ConfirmBootstrap,
): Promise<GaleraOutcome> {
  const report = await askTarget(hands, target);
  if (!report?.bootstrap || !isSynced(report)) return no(`${target.member} does not serve any more`);
  const record = await readRecord(hands, cluster);
  if (record?.resourceVersion !== recordVersion) return no('the record was changed meanwhile');
  if (!isLater(report, { era: { number: record.era, by: '' }, bootstrap: record.confirmed })) return no('it is written down already');
  const stored = await writeRecord(hands, cluster, {
    ...record, confirmed: report.bootstrap, era: report.era.number, settled: record.grants.at(-1)?.id,
  });
  return stored ? { done: true, detail: `bootstrap ${report.bootstrap.n} of ${report.bootstrap.member}` } : no('the record was changed meanwhile');
}
