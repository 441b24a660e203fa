/** The contract ConfigMap of a Galera cluster -> document, or what is wrong with it. */
import { CONTRACT_VERSION } from '../../../../src/contract/document.js';
import type { GaleraContract, GaleraEngine } from '../../../../src/contract/galera.js';
import { contractName } from '../../../../src/contract/names.js';
import type { KubeObject } from '../../ports/kube.js';
import { CONTRACT_KEY, memberProblem } from '../contract.js';
import { parseJson } from '../objects.js';

export type GaleraReading =
  | { readonly ok: true; readonly document: GaleraContract }
  | { readonly ok: false; readonly problem: string };

const ENGINES: readonly GaleraEngine[] = ['mariadb', 'percona-xtradb-cluster'];

function documentIn(object: KubeObject): Record<string, unknown> | undefined {
  return parseJson((object as { data?: Record<string, string> }).data?.[CONTRACT_KEY]);
}

export function isGaleraContract(object: KubeObject): boolean {
  return ENGINES.some((engine) => engine === documentIn(object)?.engine);
}

function problemIn(value: Record<string, unknown>, object: KubeObject): string | undefined {
  if (value.contractVersion !== CONTRACT_VERSION) {
    return `contractVersion is ${JSON.stringify(value.contractVersion)}, this agent knows ${CONTRACT_VERSION}`;
  }
  if (!ENGINES.some((engine) => engine === value.engine)) {
    return `engine is ${JSON.stringify(value.engine)}, and the engine of a living cluster never changes`;
  }
  if (typeof value.cluster !== 'string' || contractName(value.cluster) !== object.metadata.name) {
    return `cluster is ${JSON.stringify(value.cluster)}, which does not belong to ConfigMap ${object.metadata.name}`;
  }
  const { secret } = (value.agentLogin ?? {}) as { secret?: unknown };
  if (typeof secret !== 'string') return 'agentLogin.secret is missing';
  if (!Array.isArray(value.members) || value.members.length === 0) return 'members is no list of members';
  return value.members.map(memberProblem).find((problem) => problem !== undefined);
}

export function readGaleraContract(object: KubeObject): GaleraReading {
  const value = documentIn(object);
  if (!value) return { ok: false, problem: `${CONTRACT_KEY} is no JSON object` };
  const problem = problemIn(value, object);
  return problem === undefined ? { ok: true, document: value as unknown as GaleraContract } : { ok: false, problem };
}
