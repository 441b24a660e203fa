/** What a Job reads of a contract, whatever its engine. */
import { readContract } from './contract.js';
import { parseJson } from './objects.js';
import { CONTRACT_VERSION, type ContractDocument } from '../../../src/contract/document.js';
import type { GaleraContract } from '../../../src/contract/galera.js';
import type { KubeObject } from '../ports/kube.js';

export type BackupContract = ContractDocument | GaleraContract;

export type BackupContractReading =
  | { readonly ok: true; readonly document: BackupContract }
  | { readonly ok: false; readonly problem: string };

const GALERA_ENGINES: readonly unknown[] = ['mariadb', 'percona-xtradb-cluster'];

export function readBackupContract(object: KubeObject): BackupContractReading {
  const value = parseJson((object as { data?: Record<string, string> }).data?.['contract.json']);
  const known = value?.contractVersion === CONTRACT_VERSION && Array.isArray(value.members);
  if (known && GALERA_ENGINES.includes(value.engine)) return { ok: true, document: value as unknown as GaleraContract };
  return readContract(object);
}
