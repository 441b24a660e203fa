import { FILES } from './files';
import { dataDirectory } from './patroni';
import { STANZA } from '../contract/document';
import { POSTGRES_PORT } from '../contract/ports';
import type { ResolvedBackup, ResolvedRepository } from '../resolve/backup';
import { SYSTEM_ROLES, type ResolvedPostgres } from '../resolve/postgres';

type Options = Record<string, string>;

function section(name: string, options: Options): string {
  return [`[${name}]`, ...Object.entries(options).map(([option, value]) => `${option}=${value}`), ''].join('\n');
}

/** Options whose value is a secret stand in a file of their own, which members write in memory. */
function repositoryOptions({ key, options, files }: ResolvedRepository): Options {
  const all = { ...options, ...Object.fromEntries(files.map(({ option }) => [option, repositoryFile(key, option)])) };
  return Object.fromEntries(Object.entries(all).map(([option, value]) => [`repo${key}-${option}`, value]));
}

/** Where a member writes a file that an option names. */
function repositoryFile(key: number, option: string): string {
  return `${FILES.backup}/repo${key}-${option}`;
}

function globalOptions({ repositories, processes, compressionLevel }: ResolvedBackup): Options {
  return {
    ...repositories.reduce<Options>((all, repository) => ({ ...all, ...repositoryOptions(repository) }), {}),
    'compress-type': 'zst',
    'compress-level': String(compressionLevel),
    'process-max': String(processes),
    'archive-async': 'y',
    // Standbys keep files and never send them while they are standbys, so each has one sender (pgbackrest.sh).
    'archive-mode-check': 'n',
    'spool-path': FILES.spool,
    // The container's root file system is read-only, and its log is where people look.
    'log-level-file': 'off',
    'log-level-console': 'warn',
    'start-fast': 'y',
    'link-all': 'y',
  };
}

/** pgbackrest.conf without secrets; empty where nothing is archived. */
export function renderPgbackrest(cluster: ResolvedPostgres): string {
  if (!cluster.backup) return '';
  return [
    section('global', globalOptions(cluster.backup)),
    section(STANZA, {
      'pg1-path': dataDirectory(cluster),
      'pg1-port': String(POSTGRES_PORT),
      'pg1-socket-path': FILES.sockets,
      'pg1-user': SYSTEM_ROLES.superuser,
    }),
  ].join('\n');
}
