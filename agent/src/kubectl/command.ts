/** What the commands of `kubectl everest` have in common. */
import { contractName } from '../../../src/contract/names.js';
import { readBackupContract, type BackupContract } from '../model/backup-contract.js';
import { KubeError, type Kube } from '../ports/kube.js';

/** What a person may read: shown as it is, without a stack. */
export class CommandError extends Error {}

/** As a shell has it for SIGINT. */
export const INTERRUPTED = 130;

export async function contractOf(kube: Kube, namespace: string, cluster: string): Promise<BackupContract> {
  const object = await kube.get('configmaps', contractName(cluster)).catch((problem: unknown) => {
    if (!(problem instanceof KubeError && problem.notFound)) throw problem;
    throw new CommandError(`There is no cluster ${cluster} in namespace ${namespace} (no ConfigMap ${contractName(cluster)}). Is it another namespace (-n)?`, { cause: problem });
  });
  const reading = readBackupContract(object);
  if (!reading.ok) throw new CommandError(`The contract of ${cluster} cannot be read: ${reading.problem}.`);
  return reading.document;
}
