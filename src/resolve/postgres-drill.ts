import type { RestoreDrillOptions } from '../restore-drill-options';
import { drillNeeds, resolveDrill, type ResolvedDrill } from './drill';
import type { ResolvedPostgres } from './postgres';

/** A drill of a PostgreSQL cluster, decided. */
export interface ResolvedPostgresDrill extends ResolvedDrill {
  /** Options of pgBackRest that differ from the members'. */
  readonly environment: Record<string, string>;
}

/** pgBackRest reads its options from variables too. */
function prefix(key: number): string {
  return `PGBACKREST_REPO${key}_`;
}

/** A drill of a PostgreSQL cluster; the options must have passed all rules. */
export function resolvePostgresDrill(cluster: ResolvedPostgres, given: RestoreDrillOptions): ResolvedPostgresDrill {
  const { name, groups, backup } = cluster;
  const drill = resolveDrill({ name, groups, backup, database: cluster.databases[0]?.name ?? 'postgres' }, given);
  const { access } = given;
  return {
    ...drill,
    // pgBackRest wants the options of all repositories, whichever it reads.
    needs: backup!.repositories.flatMap((each) => {
      const own = each.key === drill.repository ? access : undefined;
      return drillNeeds(each, prefix(each.key), own);
    }),
    environment: {
      PGBACKREST_REPO: String(drill.repository),
      ...(access ? { [`${prefix(drill.repository)}S3_KEY_TYPE`]: access.keyType } : {}),
    },
  };
}
