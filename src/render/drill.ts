import { FILES } from './files';
import { dataDirectory } from './patroni';
import { STANZA } from '../contract/document';
import type { DrillDocument } from '../contract/drill';
import type { ResolvedDrill } from '../resolve/drill';
import { SYSTEM_ROLES, type ResolvedPostgres } from '../resolve/postgres';

/** Before the Job's own end, so that a drill that is late can still say where it was. */
const LAST_WORDS_S = 30;

/** drill.json: what drill.py needs to know. */
export function renderDrill(cluster: ResolvedPostgres, drill: ResolvedDrill): string {
  const { repository, storage, target, sharedBuffersMiB, deadlineSeconds, needs, checks } = drill;
  const document: DrillDocument = {
    stanza: STANZA, repository, storage, target,
    dataDirectory: dataDirectory(cluster),
    binDirectory: cluster.image.binDirectory,
    socketDirectory: FILES.sockets,
    superuser: SYSTEM_ROLES.superuser,
    archiveScript: `${FILES.folder}/${FILES.archive}`,
    sharedBuffersMiB, deadlineSeconds: deadlineSeconds - LAST_WORDS_S, needs, checks,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
