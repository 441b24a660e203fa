import type { RestoreDrillOptions } from '../restore-drill-options';
import { drillNeeds, resolveDrill, type ResolvedDrill } from './drill';
import type { ResolvedGalera } from './galera';

/** A drill of a Galera cluster, decided. */
export interface ResolvedGaleraDrill extends ResolvedDrill {
  /** Where the archive is, as the members are told. */
  readonly options: Record<string, string>;
}

/** A drill of a Galera cluster; the options must have passed all rules. */
export function resolveGaleraDrill(cluster: ResolvedGalera, given: RestoreDrillOptions): ResolvedGaleraDrill {
  const { name, group, backup } = cluster;
  const repository = backup!.repositories[0]!;
  const { access } = given;
  return {
    ...resolveDrill({ name, groups: [group], backup, database: cluster.databases[0]?.name ?? 'mysql' }, given),
    needs: drillNeeds(repository, 'EVEREST_STORAGE_', access),
    options: { ...repository.options, ...(access ? { 's3-key-type': access.keyType } : {}) },
  };
}
