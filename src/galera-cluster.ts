import { ApiObject, Chart, Lazy } from 'cdk8s';
import { Construct } from 'constructs';
import type { BackupOptions } from './backup-options';
import { BackupSchedule } from './backup-schedule';
import type { BackupScheduleOptions } from './backup-schedule-options';
import { checkGalera } from './check-galera';
import { checkPeer } from './check-postgres';
import { clientLabel } from './contract/labels';
import { DEFAULT_NAMESPACE, primaryServiceName, replicaServiceName } from './contract/names';
import { MYSQL_PORT } from './contract/ports';
import { EverestError } from './errors';
import { NetworkPeer, type NetworkOptions } from './network';
import { claimObjects, claimRepositories, objectName } from './object-registry';
import { galeraManifests } from './parts/galera-manifests';
import type { NetworkPeers } from './parts/network-policies';
import { renderGaleraContract } from './render/galera-contract';
import { resolveGalera, type GaleraInput, type ResolvedGalera } from './resolve/galera';
import { RestoreDrill } from './restore-drill';
import type { RestoreDrillOptions } from './restore-drill-options';
import { findingOf } from './rules/run';
import { SHAPE_TEXTS } from './rules/shape-texts';

/**
 * What `MariaDbCluster` and `PxcCluster` have in common. It is not exported: jsii gives its members to both of them.
 *
 * @internal
 */
export abstract class GaleraCluster extends Construct {
  /** Name of the cluster and prefix of its objects. */
  public readonly clusterName: string;

  /** Namespace of all objects. */
  public readonly namespace: string;

  /** Host name of the writer: for reads and writes. HAProxy follows when another member becomes the writer. */
  public readonly primaryHost: string;

  /** Host name that leads to all members that are in step: for reads that may lag by what is not applied yet. */
  public readonly replicaHost: string;

  /** Port on both hosts. */
  public readonly port: number = MYSQL_PORT;

  private readonly resolved: ResolvedGalera;
  private readonly clients: NetworkPeer[];
  private readonly schedules: BackupSchedule[] = [];
  private readonly apiObjects = new Map<string, ApiObject>();
  private readonly peers: NetworkPeers;
  private drills = 0;

  protected constructor(scope: Construct, id: string, input: GaleraInput) {
    super(scope, id);
    const { props } = input;
    this.clusterName = props.clusterName ?? id;
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? DEFAULT_NAMESPACE;
    const findings = checkGalera(this.clusterName, this.namespace, input);
    if (findings.length > 0) throw new EverestError(findings, this.node.path);
    this.primaryHost = `${primaryServiceName(this.clusterName)}.${this.namespace}.svc`;
    this.replicaHost = `${replicaServiceName(this.clusterName)}.${this.namespace}.svc`;
    this.resolved = resolveGalera(this.clusterName, this.namespace, input);
    this.clients = [...props.network?.allowFrom ?? []];
    this.peers = this.renderPeers(props.network);
    this.createObjects();
    this.createBackups(props.backup);
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
    throw this.wrongChoice([], `the cluster has no ${kind} ${JSON.stringify(name)}; it has ${[...this.apiObjects.keys()].join(', ')}`,
      'There is nothing to patch');
  }

  /**
   * Name of the Secret with the connection of an owner or a role: host, port, dbname, user, password, uri, jdbc-uri.
   *
   * @param owner an owner of a database, or one of `roles`; default: the owner of the first database
   */
  public connectionSecretName(owner?: string): string {
    const { owners, roles } = this.resolved;
    const all = [...owners, ...roles];
    const found = owner === undefined ? owners[0] : all.find(({ role }) => role === owner);
    if (found) return found.secret;
    const known = all.map(({ role }) => role).join(', ') || 'none';
    const problem = owner === undefined ? 'there is no database' : `no owner and no role is called ${JSON.stringify(owner)}; there are ${known}`;
    throw this.wrongChoice(['databases'], problem, 'The Secret would never exist');
  }

  /**
   * Lets one more peer connect. The first call replaces the default, Pods with the label `access.everest.io/<cluster>`.
   */
  public allowFrom(peer: NetworkPeer): void {
    const findings = checkPeer(peer);
    if (findings.length > 0) throw new EverestError(findings, this.node.path);
    this.clients.push(peer);
  }

  /**
   * Makes full backups at fixed times. Needs `backup`, which says where they go. Nothing of the cluster restarts.
   */
  public addBackupSchedule(options: BackupScheduleOptions): BackupSchedule {
    const schedule = new BackupSchedule(this, `backup-${this.schedules.length}`, options);
    this.schedules.push(schedule);
    for (const object of schedule._objects) this.apiObjects.set(`${object.kind}/${object.name}`, object);
    return schedule;
  }

  /**
   * Restores the backups into a throwaway volume at fixed times and looks at what comes out. Needs `backup`. Nothing of
   * the cluster restarts, and nothing of it takes part.
   */
  public addRestoreDrill(options: RestoreDrillOptions): RestoreDrill {
    const drill = new RestoreDrill(this, `drill-${this.drills}`, options);
    this.drills += 1;
    for (const object of drill._objects) this.apiObjects.set(`${object.kind}/${object.name}`, object);
    return drill;
  }

  /**
   * @internal
   */
  public _forParts(): { resolved: ResolvedGalera; peers: NetworkPeers } {
    return { resolved: this.resolved, peers: this.peers };
  }

  private wrongChoice(path: string[], problem: string, consequence: string): EverestError {
    const finding = findingOf(SHAPE_TEXTS.wrongChoice, { path, problem, consequence, fix: 'Name one that is there' });
    return new EverestError([finding], this.node.path);
  }

  private createBackups({ schedules = [], drills = [] }: Partial<BackupOptions> = {}): void {
    for (const schedule of schedules) this.addBackupSchedule(schedule);
    for (const drill of drills) this.addRestoreDrill(drill);
  }

  private renderPeers({ apiServer, dns }: NetworkOptions = {}): NetworkPeers {
    const render = (peers: readonly NetworkPeer[] = []) => peers.map((peer) => peer._toManifest());
    const byLabel = NetworkPeer.podsWithLabels({ [clientLabel(this.clusterName)]: 'true' });
    return {
      // Rendered at synthesis, since allowFrom() adds to it.
      clients: Lazy.any({ produce: () => render(this.clients.length > 0 ? this.clients : [byLabel]) }),
      apiServer: render(apiServer),
      dns: render(dns),
    };
  }

  private createObjects(): void {
    const schedules = () => this.schedules.map(({ _resolved }) => _resolved);
    const contract = Lazy.any({ produce: () => renderGaleraContract(this.resolved, schedules()) });
    const manifests = galeraManifests(this.resolved, { peers: this.peers, contract });
    claimObjects(this, this.namespace, manifests.map(objectName));
    claimRepositories(this, this.resolved);
    for (const manifest of manifests) {
      const name = objectName(manifest);
      this.apiObjects.set(name, new ApiObject(this, name.replace('/', '-'), manifest));
    }
  }
}
