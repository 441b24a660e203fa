/** The command line of `kubectl everest`. */
import { parseArgs } from 'node:util';
import type { BackupType } from '../model/pgbackrest.js';

export const HELP = `kubectl everest COMMAND CLUSTER [options]

backup                 makes a backup now, and follows it to its end
  --type full|differential|incremental   default: full
  --repository NUMBER                    default: that of the schedule, or the first
restore --to MOMENT    looks whether the backups reach the moment, and prints the change for Git; changes nothing
                       MOMENT: a time with a zone (2026-03-01T11:59:59Z), or a place in PostgreSQL's log (0/5000060)
restore --id NAME      does the restore in place that the manifests declare by this name: ends all members at once,
                       once they have the declaration and the moment can be reached, and follows until it is done
reject --id NAME       goes back behind it: prints the change for Git, and does it once that is declared
accept --id NAME       removes what the restore has set aside: there is no way back then

  -n, --namespace NAMESPACE              default: that of the kubeconfig's context
  --context NAME                         context of the kubeconfig
  --kubeconfig FILE                      default: KUBECONFIG, or ~/.kube/config
  -h, --help

Exit codes: 0 done, 1 not done, 2 the command line is wrong, 130 interrupted.
`;

const TYPES: readonly BackupType[] = ['full', 'differential', 'incremental'];

/** Where the cluster is. */
export interface Place {
  readonly cluster: string;
  readonly namespace: string | undefined;
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
}

export interface BackupRequest extends Place {
  readonly command: 'backup';
  readonly type: BackupType;
  readonly repository: number | undefined;
}

/** A moment as the members' scripts take it. */
export interface Moment {
  readonly type: 'time' | 'lsn';
  readonly value: string;
}

/** A look at a moment, or one of the steps of the restore in place that is declared by the name. */
export type RestoreRequest = Place & (
  | { readonly command: 'restore'; readonly to: Moment }
  | { readonly command: 'restore' | 'reject' | 'accept'; readonly id: string }
);

export type Request = BackupRequest | RestoreRequest;

/** Shown with the way to help, without a stack. */
export class UsageError extends Error {}

const TEXT = { type: 'string' } as const;
const OPTIONS = {
  type: TEXT, repository: TEXT, to: TEXT, id: TEXT, context: TEXT, kubeconfig: TEXT,
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

const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/i;

function momentOf(text: string): Moment {
  if (/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i.test(text)) return { type: 'lsn', value: text };
  if (TIME.test(text) && !Number.isNaN(Date.parse(text))) return { type: 'time', value: text.replace(' ', 'T').replace(/z$/i, '+00:00') };
  throw new UsageError(`--to is ${JSON.stringify(text)}; it takes a time with a zone, such as 2026-03-01T11:59:59Z, or a place in the log, such as 0/5000060`);
}

const NAME = /^[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?$/;

const RESTORE_TAKES = 'restore takes --to MOMENT, to look, or --id NAME, to do what is declared';

function stepOf(command: RestoreRequest['command'], to: string | undefined, id: string | undefined) {
  if (command === 'restore' && to !== undefined && id === undefined) return { command, to: momentOf(to) };
  if (to !== undefined || id === undefined) {
    throw new UsageError(command === 'restore' ? RESTORE_TAKES : `${command} takes --id NAME`);
  }
  if (!NAME.test(id)) throw new UsageError(`--id is ${JSON.stringify(id)}; it takes the name that the manifests give the restore (replacing)`);
  return { command, id };
}

/** Options that only some commands know. */
const OWN: Readonly<Record<Request['command'], readonly string[]>> = {
  backup: ['type', 'repository'], restore: ['to', 'id'], reject: ['id'], accept: ['id'],
};
const COMMANDS = Object.keys(OWN) as Array<Request['command']>;

function commandOf(word: string | undefined): Request['command'] {
  const command = COMMANDS.find((known) => known === word);
  if (command) return command;
  throw new UsageError(`${word === undefined ? 'a command is missing' : `${word} is no command`}; there are ${COMMANDS.join(', ')}`);
}

/** Undefined: help is wanted. */
export function readRequest(args: readonly string[]): Request | undefined {
  const { values, positionals: [word, cluster, ...more] } = parsed(args);
  if (values.help || (word === undefined && args.length === 0)) return undefined;
  const command = commandOf(word);
  if (cluster === undefined) throw new UsageError('the name of the cluster is missing');
  if (more.length > 0) throw new UsageError(`one cluster at a time: ${more.join(' ')} is too much`);
  const { type, repository, to, id, namespace, context, kubeconfig } = values;
  const given = Object.entries({ type, repository, to, id }).filter(([, value]) => value !== undefined);
  const foreign = given.find(([name]) => !OWN[command].includes(name));
  if (foreign) throw new UsageError(`${command} does not know --${foreign[0]}`);
  const place = { cluster, namespace, context, kubeconfig };
  if (command !== 'backup') return { ...place, ...stepOf(command, to, id) };
  return { ...place, command, type: typeOf(type ?? 'full'), repository: repositoryOf(repository) };
}
