import type { Construct } from 'constructs';
import type { ClusterDocument } from './document/read';
import { MariaDbCluster } from './mariadb-cluster';
import { PostgresCluster } from './postgres-cluster';
import type { PostgresPooler } from './postgres-pooler';
import { PxcCluster } from './pxc-cluster';

/** A cluster of any engine, and the pooler in front of it where there is one. */
export interface CreatedCluster {
  readonly cluster: PostgresCluster | MariaDbCluster | PxcCluster;
  readonly pooler?: PostgresPooler;
}

/** The constructs of one document. */
export function createCluster(scope: Construct, id: string, document: ClusterDocument): CreatedCluster {
  switch (document.engine) {
    case 'mariadb': return { cluster: new MariaDbCluster(scope, id, document.props) };
    case 'percona-xtradb-cluster': return { cluster: new PxcCluster(scope, id, document.props) };
    default: {
      const cluster = new PostgresCluster(scope, id, document.props);
      return document.pooler ? { cluster, pooler: cluster.addPooler(document.pooler) } : { cluster };
    }
  }
}
