import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { POSTGRES_PORT } from './contract/ports';
import { EverestError } from './errors';
import { claimObjects, objectName } from './object-registry';
import { poolerManifests } from './parts/pooler';
import type { PoolerOptions } from './pooler';
import type { PostgresCluster } from './postgres-cluster';
import { resolvePooler } from './resolve/pooler';
import { poolerValid } from './rules/pooler-valid';
import { runRules } from './rules/run';
import { checkShape } from './shape/findings';
import { poolerOptionsShape } from './shape/pooler-options';

/**
 * PgBouncer in front of a cluster; made by `cluster.addPooler()`.
 *
 * Creates a Deployment over different nodes, its Service, ConfigMap, NetworkPolicy and PodDisruptionBudget.
 */
export class PostgresPooler extends Construct {
  /** Host name for clients. */
  public readonly host: string;

  /** Port for clients. */
  public readonly port: number = POSTGRES_PORT;

  /** All Kubernetes objects of the pooler. Patch any field with `addJsonPatch`. */
  public readonly objects: ApiObject[];

  /**
   * @internal
   */
  public constructor(cluster: PostgresCluster, id: string, options: PoolerOptions) {
    super(cluster, id);
    const { resolved, clientPeers } = cluster._forParts();
    const shape = checkShape(poolerOptionsShape, options);
    const findings = shape.length > 0 ? shape : runRules([poolerValid], { cluster: resolved, options });
    if (findings.length > 0) throw new EverestError(findings, this.node.path);

    const pooler = resolvePooler(resolved, options);
    const manifests = poolerManifests(resolved, pooler, clientPeers);
    claimObjects(this, resolved.namespace, manifests.map(objectName));
    this.host = `${pooler.objectName}.${resolved.namespace}.svc`;
    this.objects = manifests.map((manifest) => new ApiObject(this, objectName(manifest).replace('/', '-'), manifest));
  }
}
