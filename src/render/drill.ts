import { FILES } from './files';
import { dataDirectory } from './patroni';
import { STANZA } from '../contract/document';
import type { DrillDocument, GaleraDrillDocument } from '../contract/drill';
import type { ResolvedGaleraDrill } from '../resolve/galera-drill';
import { SYSTEM_ROLES, type ResolvedPostgres } from '../resolve/postgres';
import type { ResolvedPostgresDrill } from '../resolve/postgres-drill';

/** Before the Job's own end, so that a drill that is late can still say where it was. */
const LAST_WORDS_S = 30;

function json(document: DrillDocument | GaleraDrillDocument): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** drill.json: what drill.py needs to know. */
export function renderPostgresDrill(cluster: ResolvedPostgres, drill: ResolvedPostgresDrill): string {
  const { repository, storage, target, buffersMiB, deadlineSeconds, needs, checks } = drill;
  const document: DrillDocument = {
    stanza: STANZA, repository, storage, target,
    dataDirectory: dataDirectory(cluster),
    binDirectory: cluster.image.binDirectory,
    socketDirectory: FILES.sockets,
    superuser: SYSTEM_ROLES.superuser,
    archiveScript: `${FILES.folder}/${FILES.archive}`,
    sharedBuffersMiB: buffersMiB, deadlineSeconds: deadlineSeconds - LAST_WORDS_S, needs, checks,
  };
  return json(document);
}

/** drill.json: what galera_drill.py needs to know. */
export function renderGaleraDrill(drill: ResolvedGaleraDrill): string {
  const { options, storage, target, buffersMiB, deadlineSeconds, needs, checks } = drill;
  return json({
    repository: { options }, storage, target, needs, checks,
    bufferPoolMiB: buffersMiB, deadlineSeconds: deadlineSeconds - LAST_WORDS_S,
  });
}
