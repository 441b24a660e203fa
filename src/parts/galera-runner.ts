import { GALERA_FILES as FILES } from '../render/galera';
import type { ResolvedGalera } from '../resolve/galera';

/** A script where it has a container of its own: 40 MiB were measured for it, and 160 MiB for what sends a backup. */
export const SCRIPT_RESOURCES = { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '512Mi' } };

/**
 * Programs of backups: mostly a shell that waits; xtrabackup copies with little, and prepares with 100 MiB and what the
 * log needs.
 */
export const TOOLS_RESOURCES = { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '1Gi' } };

interface Runner {
  readonly image: string;
  readonly command: string[];
}

/** What a container of the vendor's image runs: it starts what the script asks for in a folder that both mount. */
export function runner({ image }: ResolvedGalera, folder: string, ...more: string[]): Runner {
  return { image: image.reference, command: ['bash', `${FILES.folder}/${FILES.runner}`, folder, ...more] };
}
