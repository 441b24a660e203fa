/** The command line of `kubectl everest`. */
import { parseArgs } from 'node:util';
import type { BackupType } from '../model/pgbackrest.js';

export const HELP = `kubectl everest backup CLUSTER [options]

Makes a backup of a PostgresCluster now, and follows it to its end.

  --type full|differential|incremental   default: full
  --repository NUMBER                    default: that of the schedule, or the first
  -n, --namespace NAMESPACE              default: that of the kubeconfig's context
  --context NAME                         context of the kubeconfig
  --kubeconfig FILE                      default: KUBECONFIG, or ~/.kube/config
  -h, --help

Exit codes: 0 a backup was made, 1 none was, 2 the command line is wrong, 130 interrupted.
`;

const TYPES: readonly BackupType[] = ['full', 'differential', 'incremental'];

export interface BackupRequest {
  readonly cluster: string;
  readonly type: BackupType;
  readonly repository: number | undefined;
  readonly namespace: string | undefined;
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
}

/** Shown with the way to help, without a stack. */
export class UsageError extends Error {}

const TEXT = { type: 'string' } as const;
const OPTIONS = {
  type: TEXT, repository: TEXT, context: TEXT, kubeconfig: TEXT,
  namespace: { type: 'string', short: 'n' },
  help: { type: 'boolean', short: 'h' },
} as const;

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (problem) {
    throw new UsageError((problem as Error).message, { cause: problem });
  }
}

function typeOf(text: string): BackupType {
  const type = TYPES.find((known) => known === text);
  if (!type) throw new UsageError(`--type is ${JSON.stringify(text)}; it takes ${TYPES.join(', ')}`);
  return type;
}

function repositoryOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new UsageError(`--repository is ${JSON.stringify(text)}; it takes the number of a repository, from 1`);
  return number;
}

/** Undefined: help is wanted. */
export function readRequest(args: readonly string[]): BackupRequest | undefined {
  const { values, positionals: [command, cluster, ...more] } = parsed(args);
  if (values.help || (command === undefined && args.length === 0)) return undefined;
  if (command !== 'backup') throw new UsageError(command === undefined ? 'a command is missing; there is backup' : `${command} is no command; there is backup`);
  if (cluster === undefined) throw new UsageError('the name of the cluster is missing');
  if (more.length > 0) throw new UsageError(`one cluster at a time: ${more.join(' ')} is too much`);
  const { type = 'full', repository, namespace, context, kubeconfig } = values;
  return { cluster, type: typeOf(type), repository: repositoryOf(repository), namespace, context, kubeconfig };
}
