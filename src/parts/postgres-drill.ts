import type { DrillRecipe } from './drill';
import { storageEgress } from './network-policies';
import { configName } from '../contract/names';
import { renderPostgresDrill } from '../render/drill';
import { FILES } from '../render/files';
import { renderPostgresDrillScripts } from '../render/script';
import type { ResolvedPostgres } from '../resolve/postgres';
import type { ResolvedPostgresDrill } from '../resolve/postgres-drill';

/** How a copy of a PostgreSQL cluster is restored: by pgBackRest, with the members' own configuration. */
export function postgresDrillRecipe(cluster: ResolvedPostgres, drill: ResolvedPostgresDrill): DrillRecipe {
  return {
    script: FILES.drill,
    files: { ...renderPostgresDrillScripts(), [FILES.drillOrder]: renderPostgresDrill(cluster, drill) },
    config: { name: configName(cluster.name), items: [FILES.pgbackrest, FILES.archive] },
    environment: {
      PGBACKREST_CONFIG: `${FILES.folder}/${FILES.pgbackrest}`,
      PGBACKREST_CONFIG_INCLUDE_PATH: FILES.backup,
      PATH: `${cluster.image.binDirectory}:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin`,
      ...drill.environment,
    },
    folders: { data: FILES.data, sockets: FILES.sockets },
    accessFolder: FILES.backup,
    storageEgress: storageEgress(cluster),
  };
}
