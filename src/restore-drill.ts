import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { EverestError } from './errors';
import { claimObjects, objectName } from './object-registry';
import { drillManifests } from './parts/drill';
import type { PostgresCluster } from './postgres-cluster';
import { resolveDrill } from './resolve/drill';
import type { RestoreDrillOptions } from './restore-drill-options';
import { DRILL_RULES } from './rules/drill-valid';
import { runRules } from './rules/run';
import { restoreDrillShape } from './shape/backup';
import { checkShape } from './shape/findings';

/**
 * Restores of a cluster's backups into a throwaway volume, at fixed times; made by `cluster.addRestoreDrill()`.
 *
 * Creates a CronJob, and for it a ConfigMap with the script, a ServiceAccount with a Role, and a NetworkPolicy. The
 * result stands in the ConfigMap `<cluster>-status`.
 */
export class RestoreDrill extends Construct {
  /** Name under which results are reported. */
  public readonly drillName: string;

  /** The CronJob. Patch any field with `addJsonPatch`. */
  public readonly cronJob: ApiObject;

  /**
   * @internal
   */
  public readonly _objects: ApiObject[];

  /**
   * @internal
   */
  public constructor(cluster: PostgresCluster, id: string, options: RestoreDrillOptions) {
    super(cluster, id);
    const { resolved, peers } = cluster._forParts();
    const shape = checkShape(restoreDrillShape, options);
    const repositories = resolved.backup?.repositories.length ?? 0;
    const described = resolved.backup?.repositories.some(({ secrets }) => secrets.some(({ option }) => option === 's3-bucket')) ?? false;
    const findings = shape.length > 0 ? shape
      : runRules(DRILL_RULES, { clusterName: resolved.name, repositories, described, options });
    if (findings.length > 0) throw new EverestError(findings, this.node.path);

    const drill = resolveDrill(resolved, options);
    this.drillName = drill.name;
    const manifests = drillManifests(resolved, drill, peers);
    claimObjects(this, resolved.namespace, manifests.map(objectName));
    this._objects = manifests.map((manifest) =>
      new ApiObject(this, objectName(manifest).replace('/', '-'), manifest));
    this.cronJob = this._objects.find(({ kind }) => kind === 'CronJob')!;
  }
}
