/** Reads `<cluster>-bootstraps` from the API and writes it by compare-and-swap. */
import type { GaleraHands } from './hands.js';
import { GALERA_RECORD_KEY } from '../../../../src/contract/galera.js';
import { galeraRecordName } from '../../../../src/contract/names.js';
import { bootstrapRecord, historyText, type BootstrapRecord } from '../../model/galera/record.js';
import { KubeError } from '../../ports/kube.js';

export async function readRecord(
  { kube }: Pick<GaleraHands, 'kube'>, cluster: string,
): Promise<BootstrapRecord | undefined> {
  return bootstrapRecord(await kube.get('configmaps', galeraRecordName(cluster)));
}

/** False: somebody else has written since `record` was read. */
export async function writeRecord(
  { kube }: Pick<GaleraHands, 'kube'>, cluster: string, record: BootstrapRecord,
): Promise<boolean> {
  try {
    await kube.patch('configmaps', galeraRecordName(cluster), {
      metadata: { resourceVersion: record.resourceVersion },
      data: { [GALERA_RECORD_KEY.history]: historyText(record) },
    });
    return true;
  } catch (problem) {
    if (problem instanceof KubeError && problem.conflict) return false;
    throw problem;
  }
}
