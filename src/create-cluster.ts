import type { Construct } from 'constructs';
import type { ClusterDocument } from './document/read';
import { PostgresCluster } from './postgres-cluster';
import type { PostgresPooler } from './postgres-pooler';

/** The constructs of one document. */
export function createCluster(scope: Construct, id: string,
  { props, pooler }: ClusterDocument): { cluster: PostgresCluster; pooler?: PostgresPooler } {
  const cluster = new PostgresCluster(scope, id, props);
  return pooler ? { cluster, pooler: cluster.addPooler(pooler) } : { cluster };
}
