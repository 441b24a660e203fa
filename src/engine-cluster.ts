import { ApiObject, Chart, Lazy } from 'cdk8s';
import { Construct } from 'constructs';
import type { BackupOptions } from './backup-options';
import { BackupSchedule } from './backup-schedule';
import type { BackupScheduleOptions } from './backup-schedule-options';
import { checkPeer } from './check-peer';
import { clientLabel } from './contract/labels';
import { DEFAULT_NAMESPACE, primaryServiceName, replicaServiceName } from './contract/names';
import { EverestError, type Finding } from './errors';
import { NetworkPeer, type NetworkOptions } from './network';
import { claimObjects, claimRepositories, objectName } from './object-registry';
import type { Manifest } from './parts/manifest';
import type { NetworkPeers } from './parts/network-policies';
import type { ResolvedBackup, ResolvedSchedule } from './resolve/backup';
import { RestoreDrill } from './restore-drill';
import type { RestoreDrillOptions } from './restore-drill-options';
import { findingOf } from './rules/run';
import { SHAPE_TEXTS } from './rules/shape-texts';

type Check = (name: string, namespace: string) => readonly Finding[];

/** Props that every engine has. */
interface EngineProps {
  readonly clusterName?: string;
  readonly namespace?: string;
  readonly network?: NetworkOptions;
}

/**
 * What the clusters of all engines have in common. It is not exported: jsii gives its members to each of them.
 *
 * @internal
 */
export abstract class EngineCluster extends Construct {
  /** Name of the cluster and prefix of its objects. */
  public readonly clusterName: string;

  /** Namespace of all objects. */
  public readonly namespace: string;

  /** Host name that always leads to the primary, of a Galera cluster to its writer: for reads and writes. */
  public readonly primaryHost: string;

  /**
   * Host name for reads that may lag: it leads to the standbys, of a Galera cluster to all members that are in step.
   */
  public readonly replicaHost: string;

  private readonly clients: NetworkPeer[];
  private readonly schedules: BackupSchedule[] = [];
  private drills = 0;
  private readonly apiObjects = new Map<string, ApiObject>();

  /** Nothing of the props is used before `check` has passed, but for the names. */
  protected constructor(scope: Construct, id: string, { clusterName, namespace, network }: EngineProps, check: Check) {
    super(scope, id);
    this.clusterName = clusterName ?? id;
    this.namespace = namespace ?? Chart.of(this).namespace ?? DEFAULT_NAMESPACE;
    const findings = check(this.clusterName, this.namespace);
    if (findings.length > 0) throw new EverestError(findings, this.node.path);
    this.primaryHost = `${primaryServiceName(this.clusterName)}.${this.namespace}.svc`;
    this.replicaHost = `${replicaServiceName(this.clusterName)}.${this.namespace}.svc`;
    this.clients = [...network?.allowFrom ?? []];
  }

  /**
   * All Kubernetes objects of the cluster, in the order in which they can be applied. Patch any field with
   * `addJsonPatch`.
   */
  public get objects(): ApiObject[] {
    return [...this.apiObjects.values()];
  }

  /** One object by kind and name, such as `apiObject('StatefulSet', 'orders-1')`, to patch a field that has no prop. */
  public apiObject(kind: string, name: string): ApiObject {
    const found = this.apiObjects.get(`${kind}/${name}`);
    if (found) return found;
    const problem = `the cluster has no ${kind} ${JSON.stringify(name)}; it has ${[...this.apiObjects.keys()].join(', ')}`;
    throw this._wrongChoice([], { problem, consequence: 'There is nothing to patch', fix: 'Name one of these' });
  }

  /**
   * Lets one more peer connect to the cluster. The first call replaces the default, Pods with the label
   * `access.everest.io/<cluster>`.
   */
  public allowFrom(peer: NetworkPeer): void {
    const findings = checkPeer(peer);
    if (findings.length > 0) throw new EverestError(findings, this.node.path);
    this.clients.push(peer);
  }

  /**
   * Makes backups at fixed times, of a Galera cluster full ones. Needs `backup`, which says where they go. Nothing of
   * the cluster restarts.
   */
  public addBackupSchedule(options: BackupScheduleOptions): BackupSchedule {
    const schedule = new BackupSchedule(this, `backup-${this.schedules.length}`, options);
    this.schedules.push(schedule);
    this.keep(schedule._objects);
    return schedule;
  }

  /**
   * Restores backups into a throwaway volume at fixed times and looks whether everything is there. Needs `backup`.
   * Nothing of the cluster restarts, and nothing is written to the storage.
   */
  public addRestoreDrill(options: RestoreDrillOptions): RestoreDrill {
    const drill = new RestoreDrill(this, `drill-${this.drills}`, options);
    this.drills += 1;
    this.keep(drill._objects);
    return drill;
  }

  /**
   * At synthesis, since schedules may still be added.
   *
   * @internal
   */
  protected _contract(made: (schedules: ResolvedSchedule[]) => unknown): unknown {
    return Lazy.any({ produce: () => made(this.schedules.map(({ _resolved }) => _resolved)) });
  }

  /**
   * `reserved`: names of objects that others make beside these manifests.
   *
   * @internal
   */
  protected _createObjects(manifests: readonly Manifest[], cluster: { readonly backup?: ResolvedBackup },
    reserved: readonly string[] = []): void {
    claimObjects(this, this.namespace, [...manifests.map(objectName), ...reserved]);
    claimRepositories(this, cluster);
    this.keep(manifests.map((manifest) => new ApiObject(this, objectName(manifest).replace('/', '-'), manifest)));
  }

  /**
   * @internal
   */
  protected _createBackups({ schedules = [], drills = [] }: Partial<BackupOptions> = {}): void {
    for (const schedule of schedules) this.addBackupSchedule(schedule);
    for (const drill of drills) this.addRestoreDrill(drill);
  }

  /**
   * Rendered at synthesis, since allowFrom() adds to the clients. `more`: peers that are let in beside them.
   *
   * @internal
   */
  protected _networkPeers({ apiServer, dns }: NetworkOptions = {}, more: () => unknown[] = () => []): NetworkPeers {
    const clients = Lazy.any({ produce: () => [...this._clientPeers(), ...more()] });
    return { clients, apiServer: render(apiServer), dns: render(dns) };
  }

  /**
   * @internal
   */
  protected _clientPeers(): unknown[] {
    const byLabel = NetworkPeer.podsWithLabels({ [clientLabel(this.clusterName)]: 'true' });
    return render(this.clients.length > 0 ? this.clients : [byLabel]);
  }

  /**
   * @internal
   */
  protected _wrongChoice(path: string[], texts: { problem: string; consequence: string; fix: string }): EverestError {
    return new EverestError([findingOf(SHAPE_TEXTS.wrongChoice, { path, ...texts })], this.node.path);
  }

  private keep(objects: readonly ApiObject[]): void {
    for (const object of objects) this.apiObjects.set(`${object.kind}/${object.name}`, object);
  }
}

function render(peers: readonly NetworkPeer[] = []): Array<Record<string, unknown>> {
  return peers.map((peer) => peer._toManifest());
}
