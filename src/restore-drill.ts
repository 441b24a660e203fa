import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { EverestError } from './errors';
import { claimObjects, objectName } from './object-registry';
import { drillManifests } from './parts/drill';
import { galeraDrillRecipe } from './parts/galera-drill';
import type { Manifest } from './parts/manifest';
import type { NetworkPeers } from './parts/network-policies';
import { postgresDrillRecipe } from './parts/postgres-drill';
import type { ResolvedGalera } from './resolve/galera';
import { resolveGaleraDrill } from './resolve/galera-drill';
import type { ResolvedPostgres } from './resolve/postgres';
import { resolvePostgresDrill } from './resolve/postgres-drill';
import type { RestoreDrillOptions } from './restore-drill-options';
import { DRILL_RULES } from './rules/drill-valid';
import { runRules } from './rules/run';
import { restoreDrillShape } from './shape/backup';
import { checkShape } from './shape/findings';

/** A cluster of an engine that has drills. */
interface DrilledCluster {
  _forParts(): { readonly resolved: ResolvedPostgres | ResolvedGalera; readonly peers: NetworkPeers };
}

interface Drill {
  readonly name: string;
  readonly manifests: Manifest[];
}

function ofPostgres(cluster: ResolvedPostgres, options: RestoreDrillOptions, peers: NetworkPeers): Drill {
  const drill = resolvePostgresDrill(cluster, options);
  const { accountAnnotations } = cluster;
  const recipe = postgresDrillRecipe(cluster, drill);
  return { name: drill.name, manifests: drillManifests(cluster, drill, { recipe, peers, accountAnnotations }) };
}

function ofGalera(cluster: ResolvedGalera, options: RestoreDrillOptions, peers: NetworkPeers): Drill {
  const drill = resolveGaleraDrill(cluster, options);
  const recipe = galeraDrillRecipe(cluster, drill);
  return { name: drill.name, manifests: drillManifests(cluster, drill, { recipe, peers, accountAnnotations: {} }) };
}

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
  public constructor(cluster: Construct, id: string, options: RestoreDrillOptions) {
    super(cluster, id);
    const { resolved, peers } = (cluster as unknown as DrilledCluster)._forParts();
    const shape = checkShape(restoreDrillShape, options);
    const repositories = resolved.backup?.repositories.length ?? 0;
    const described = resolved.backup?.repositories.some(({ secrets }) => secrets.some(({ option }) => option === 's3-bucket')) ?? false;
    const findings = shape.length > 0 ? shape
      : runRules(DRILL_RULES, { clusterName: resolved.name, repositories, described, options });
    if (findings.length > 0) throw new EverestError(findings, this.node.path);

    const { name, manifests } = 'group' in resolved ? ofGalera(resolved, options, peers) : ofPostgres(resolved, options, peers);
    this.drillName = name;
    claimObjects(this, resolved.namespace, manifests.map(objectName));
    this._objects = manifests.map((manifest) =>
      new ApiObject(this, objectName(manifest).replace('/', '-'), manifest));
    this.cronJob = this._objects.find(({ kind }) => kind === 'CronJob')!;
  }
}
