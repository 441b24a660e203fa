import { poolerName } from '../contract/names';
import { AntiAffinity, type Placement } from '../placement';
import { PoolerTarget, PoolMode, type PoolerOptions } from '../pooler';
import { resolveResources, type ResolvedResources } from './groups';
import type { ResolvedPostgres } from './postgres';


const DEFAULT_INSTANCES = 2;
const DEFAULT_IMAGE = 'cdk8s-everest/pgbouncer:1.24';
const DEFAULT_RESOURCES = { requests: { cpu: '100m', memory: '128Mi' } };
/** User of images/pgbouncer. */
export const POOLER_UID = 10028;

export interface ResolvedPooler {
  readonly name: string;
  readonly objectName: string;
  /** Service of the cluster that the pooler leads to. */
  readonly host: string;
  readonly instances: number;
  readonly poolMode: string;
  readonly poolSize: number;
  readonly maxClientConnections: number;
  readonly image: string;
  readonly resources: ResolvedResources;
  readonly placement: Placement;
  readonly serviceAnnotations: Record<string, string>;
}

/** Four fifths of the server's connections, over all Pods and owners; the rest is for people, backups and the agent. */
function defaultPoolSize(cluster: ResolvedPostgres, instances: number): number {
  const connections = Number(cluster.patroni.postgresql.parameters.max_connections);
  // Without Pods or owners there is nothing to share with; a rule speaks about the Pods.
  return Math.max(1, Math.floor((connections * 0.8) / Math.max(1, instances) / Math.max(1, cluster.owners.length)));
}

/** A pooler, decided. */
export function resolvePooler(cluster: ResolvedPostgres, options: PoolerOptions): ResolvedPooler {
  const target = options.target ?? PoolerTarget.primary();
  const name = options.name ?? target.service;
  const instances = options.instances ?? DEFAULT_INSTANCES;
  return {
    name,
    instances,
    objectName: poolerName(cluster.name, name),
    host: `${cluster.name}-${target.service}.${cluster.namespace}.svc`,
    poolMode: (options.poolMode ?? PoolMode.transaction()).mode,
    poolSize: options.poolSize ?? defaultPoolSize(cluster, instances),
    maxClientConnections: options.maxClientConnections ?? 1000,
    image: options.image ?? DEFAULT_IMAGE,
    resources: resolveResources(options.resources ?? DEFAULT_RESOURCES),
    placement: { antiAffinity: AntiAffinity.even(), ...options.placement },
    serviceAnnotations: options.serviceAnnotations ?? {},
  };
}
