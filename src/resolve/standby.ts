import type { ResolvedRepository } from './backup';
import { sourceRepository } from './recovery';
import type { StandbyConfiguration } from '../contract/document';
import { POSTGRES_PORT } from '../contract/ports';
import type { NetworkPeer } from '../network';
import type { Standby } from '../standby';

/** A cluster that follows another one, decided. */
export interface ResolvedStandby {
  /** It is only read. */
  readonly repository?: ResolvedRepository;
  readonly host?: string;
  readonly port: number;
  readonly network: readonly NetworkPeer[];
}

/** Undefined: the cluster leads, or nobody says. */
export function resolveStandby(namespace: string, standby: Standby | undefined): ResolvedStandby | undefined {
  if (!standby?.options) return undefined;
  const { from, host, port = POSTGRES_PORT, network = [] } = standby.options;
  return { repository: from && sourceRepository(namespace, { from }), host, port, network };
}

/** Folder in memory with what pgBackRest has to know of the source, apart from the cluster's own repositories. */
export const SOURCE_FOLDER = '/run/postgresql/recovery';
const SOURCE_ENVIRONMENT = `env PGBACKREST_CONFIG=${SOURCE_FOLDER}/source PGBACKREST_CONFIG_INCLUDE_PATH=${SOURCE_FOLDER}`;

/** Patroni's `standby_cluster`; null for a cluster that was told to lead. */
export function standbyConfiguration(standby: Standby | undefined,
  archiveScript: string): { standby_cluster?: StandbyConfiguration | null } {
  if (!standby) return {};
  if (!standby.options) return { standby_cluster: null };
  const { from, host, port = POSTGRES_PORT } = standby.options;
  return {
    standby_cluster: {
      ...(host === undefined ? {} : { host, port }),
      ...(from ? { restore_command: `${SOURCE_ENVIRONMENT} sh ${archiveScript} get %f %p` } : {}),
      create_replica_methods: [...(from ? ['source'] : []), ...(host === undefined ? [] : ['basebackup'])],
    },
  };
}
