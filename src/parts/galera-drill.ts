import type { DrillRecipe } from './drill';
import { storageEgress } from './galera-archive';
import { SCRIPT_RESOURCES, TOOLS_RESOURCES, runner } from './galera-runner';
import { DRILL_SOCKET } from '../contract/drill';
import { galeraConfigName } from '../contract/names';
import { renderGaleraDrill } from '../render/drill';
import { FILES } from '../render/files';
import { GALERA_FILES } from '../render/galera';
import { renderGaleraDrillScripts } from '../render/script';
import type { ResolvedGalera } from '../resolve/galera';
import type { ResolvedGaleraDrill } from '../resolve/galera-drill';
import type { ResolvedResources } from '../resolve/groups';

/** Of the members' ConfigMap: where the archive is, and what reads it and recovers from it. */
const MEMBER_FILES = [
  GALERA_FILES.member, 'kube.py', 'binlog_events.py', 'galera_archive.py', 'galera_sql.py', 'galera_tools.py', 'galera_recovery.py',
];

/** The vendor's server and its programs, which the script starts as a member's does. They end with the reporter. */
function vendorContainers(cluster: ResolvedGalera, drill: ResolvedGaleraDrill): Partial<DrillRecipe> {
  if (cluster.scriptImage === undefined) return {};
  const program = (name: string, folder: string, resources: ResolvedResources) =>
    ({ name, ...runner(cluster, folder, DRILL_SOCKET), resources });
  return {
    scriptContainer: { image: cluster.scriptImage, resources: SCRIPT_RESOURCES },
    beside: [program('server', GALERA_FILES.run, drill.resources), program('tools', GALERA_FILES.tools, TOOLS_RESOURCES)],
  };
}

/** How a copy of a Galera cluster is restored: by the scripts that a new cluster recovers with. */
export function galeraDrillRecipe(cluster: ResolvedGalera, drill: ResolvedGaleraDrill): DrillRecipe {
  const runs = cluster.scriptImage === undefined ? [] : [GALERA_FILES.runner];
  return {
    script: 'galera_drill.py',
    files: { ...renderGaleraDrillScripts(), [FILES.drillOrder]: renderGaleraDrill(drill) },
    config: { name: galeraConfigName(cluster.name), items: [...MEMBER_FILES, ...runs] },
    environment: { HOME: '/tmp' },
    folders: { data: GALERA_FILES.data, sockets: GALERA_FILES.run },
    ...vendorContainers(cluster, drill),
    storageEgress: [storageEgress(cluster.backup!.repositories[0]!)],
  };
}
