import type { DrillRecipe } from './drill';
import { storageEgress } from './galera-archive';
import { galeraConfigName } from '../contract/names';
import { renderGaleraDrill } from '../render/drill';
import { FILES } from '../render/files';
import { GALERA_FILES } from '../render/galera';
import { renderGaleraDrillScripts } from '../render/script';
import type { ResolvedGalera } from '../resolve/galera';
import type { ResolvedGaleraDrill } from '../resolve/galera-drill';

/** Of the members' ConfigMap: where the archive is, and what reads it and recovers from it. */
const MEMBER_FILES = [GALERA_FILES.member, 'kube.py', 'binlog_events.py', 'galera_archive.py', 'galera_tools.py', 'galera_recovery.py'];

/** How a copy of a MariaDB cluster is restored: by the scripts that a new cluster recovers with. */
export function galeraDrillRecipe(cluster: ResolvedGalera, drill: ResolvedGaleraDrill): DrillRecipe {
  return {
    script: 'galera_drill.py',
    files: { ...renderGaleraDrillScripts(), [FILES.drillOrder]: renderGaleraDrill(drill) },
    config: { name: galeraConfigName(cluster.name), items: MEMBER_FILES },
    environment: { HOME: '/tmp' },
    folders: { data: GALERA_FILES.data, sockets: GALERA_FILES.run },
    storageEgress: [storageEgress(cluster.backup!.repositories[0]!)],
  };
}
