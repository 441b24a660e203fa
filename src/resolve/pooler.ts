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
  /**
   * Clients can be held while the primary changes: in session mode a pause would wait until they leave, and readers of
   * standbys need none.
   */
  readonly pausable: boolean;
  readonly poolSize: number;
  readonly maxClientConnections: number;
  readonly image: string;
  readonly resources: ResolvedResources;
  readonly placement: Placement;
  readonly serviceAnnotations: Record<string, string>;
}

/** Logins that may hold connections at the same time; while a rotation is new, both logins of a role do. */
export function loginCount({ roles }: ResolvedPostgres): number {
  return roles.filter(({ login }) => login).reduce((count, { rotation }) => count + (rotation ? 2 : 1), 0);
}

/** Four fifths of the server's connections, over all Pods and logins; the rest is for people, backups and the agent. */
function defaultPoolSize(cluster: ResolvedPostgres, instances: number): number {
  const connections = Number(cluster.patroni.postgresql.parameters.max_connections);
  // Without Pods or logins there is nothing to share with; a rule speaks about the Pods.
  return Math.max(1, Math.floor((connections * 0.8) / Math.max(1, instances) / Math.max(1, loginCount(cluster))));
}

/** In session mode a pause would wait for clients to leave; standbys are no matter of a change of the primary. */
function isPausable(target: PoolerTarget, poolMode: string): boolean {
  return poolMode === PoolMode.transaction().mode && target.service === PoolerTarget.primary().service;
}

/** A pooler, decided. */
export function resolvePooler(cluster: ResolvedPostgres, options: PoolerOptions): ResolvedPooler {
  const target = options.target ?? PoolerTarget.primary();
  const name = options.name ?? target.service;
  const instances = options.instances ?? DEFAULT_INSTANCES;
  const poolMode = (options.poolMode ?? PoolMode.transaction()).mode;
  return {
    name,
    instances,
    objectName: poolerName(cluster.name, name),
    host: `${cluster.name}-${target.service}.${cluster.namespace}.svc`,
    poolMode,
    pausable: isPausable(target, poolMode),
    poolSize: options.poolSize ?? defaultPoolSize(cluster, instances),
    maxClientConnections: options.maxClientConnections ?? 1000,
    image: options.image ?? DEFAULT_IMAGE,
    resources: resolveResources(options.resources ?? DEFAULT_RESOURCES),
    placement: { antiAffinity: AntiAffinity.even(), ...options.placement },
    serviceAnnotations: options.serviceAnnotations ?? {},
  };
}
