/** The contract ConfigMap -> document, or what is wrong with it. A document of one cluster never hurts another. */
import { CONTRACT_VERSION, type ContractDocument } from '../../../src/contract/document.js';
import { contractName } from '../../../src/contract/names.js';
import type { KubeObject } from '../ports/kube.js';

export type ContractReading =
  | { readonly ok: true; readonly document: ContractDocument }
  | { readonly ok: false; readonly problem: string };

export const CONTRACT_KEY = 'contract.json';

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function memberProblem(member: unknown, index: number): string | undefined {
  if (!isRecord(member)) return `members[${index}] is no object`;
  for (const key of ['name', 'pod', 'group']) {
    if (typeof member[key] !== 'string' || member[key] === '') return `members[${index}].${key} is missing`;
  }
  return typeof member.promotable === 'boolean' ? undefined : `members[${index}].promotable is missing`;
}

function loginProblem(login: unknown): string | undefined {
  if (!isRecord(login)) return 'agentLogin is missing';
  return ['role', 'secret', 'key'].map((key) => (typeof login[key] === 'string' ? undefined : `agentLogin.${key} is missing`)).find(Boolean);
}

function declaredProblem(value: Record<string, unknown>): string | undefined {
  return ['databases', 'roles'].map((key) => (Array.isArray(value[key]) ? undefined : `${key} is no list`)).find(Boolean);
}

function patroniProblem(patroni: unknown): string | undefined {
  if (!isRecord(patroni)) return 'patroni is missing';
  if (!isRecord(patroni.postgresql)) return 'patroni.postgresql is missing';
  if (!isRecord(patroni.postgresql.parameters)) return 'patroni.postgresql.parameters is missing';
  return Array.isArray(patroni.postgresql.pg_hba) ? undefined : 'patroni.postgresql.pg_hba is no list';
}

function partProblem(value: Record<string, unknown>): string | undefined {
  return loginProblem(value.agentLogin) ?? declaredProblem(value) ?? patroniProblem(value.patroni);
}

function versionProblem(value: Record<string, unknown>): string | undefined {
  if (value.contractVersion === CONTRACT_VERSION) return undefined;
  if (typeof value.contractVersion === 'number' && value.contractVersion > CONTRACT_VERSION) {
    return `contractVersion is ${value.contractVersion}, this agent knows ${CONTRACT_VERSION}; upgrade the agent`;
  }
  return `contractVersion is ${JSON.stringify(value.contractVersion)}, this agent knows ${CONTRACT_VERSION}`;
}

function problemIn(value: unknown, object: KubeObject): string | undefined {
  if (!isRecord(value)) return `${CONTRACT_KEY} is no JSON object`;
  const version = versionProblem(value);
  if (version) return version;
  if (value.engine !== 'postgresql') return `engine is ${JSON.stringify(value.engine)}, this agent knows postgresql, mariadb and percona-xtradb-cluster`;
  if (typeof value.cluster !== 'string' || contractName(value.cluster) !== object.metadata.name) {
    return `cluster is ${JSON.stringify(value.cluster)}, which does not belong to ConfigMap ${object.metadata.name}`;
  }
  if (!Array.isArray(value.members) || value.members.length === 0) return 'members is no list of members';
  return value.members.map(memberProblem).find((problem) => problem !== undefined) ?? partProblem(value);
}

export function readContract(object: KubeObject): ContractReading {
  const text = (object as { data?: Record<string, string> }).data?.[CONTRACT_KEY];
  if (text === undefined) return { ok: false, problem: `it has no key ${CONTRACT_KEY}` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (problem) {
    return { ok: false, problem: `${CONTRACT_KEY} is no JSON: ${(problem as Error).message}` };
  }
  const problem = problemIn(value, object);
  return problem === undefined ? { ok: true, document: value as ContractDocument } : { ok: false, problem };
}
