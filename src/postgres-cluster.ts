import { ApiObject, Chart, Lazy } from 'cdk8s';
import type * as plus from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { BackupSchedule } from './backup-schedule';
import type { BackupScheduleOptions } from './backup-schedule-options';
import type { BackupStorage } from './backup-storage';
import { checkPeer, checkPostgres, reservedObjects } from './check-postgres';
import { clientLabel } from './contract/labels';
import { DEFAULT_NAMESPACE, replicaServiceName } from './contract/names';
import { POSTGRES_PORT } from './contract/ports';
import { EverestError } from './errors';
import { NetworkPeer } from './network';
import { claimObjects, claimRepositories, objectName } from './object-registry';
import type { NetworkPeers } from './parts/network-policies';
import { poolerPeer } from './parts/pooler';
import { postgresManifests } from './parts/postgres-manifests';
import type { PoolerOptions } from './pooler';
import type { PostgresClusterProps } from './postgres-cluster-props';
import { PostgresPooler } from './postgres-pooler';
import { RecoverySource } from './recovery-source';
import { renderContract } from './render/contract';
import { resolvePostgres, type ResolvedPostgres } from './resolve/postgres';
import { RestoreDrill } from './restore-drill';
import type { RestoreDrillOptions } from './restore-drill-options';
import { recoverySourceValid } from './rules/recovery-valid';
import { findingOf } from './rules/run';
import { SHAPE_TEXTS } from './rules/shape-texts';

/**
 * cdk8s-plus takes 50 ms to load, as long as a whole cluster to synthesize; only what asks for a Secret pays for it.
 */
function loadPlus(): typeof plus {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import statement would load it always
  return require('cdk8s-plus-27') as typeof plus;
}

/**
 * A highly available PostgreSQL: members under Patroni, each with its own volumes, and Services that follow the
 * primary.
 *
 * Creates for each member a StatefulSet and its volume claims; for the cluster the Services `-rw`, `-ro` and
 * `-members`, a ServiceAccount with a Role, ConfigMaps, NetworkPolicies, a PodDisruptionBudget and Secrets without
 * values.
 */
export class PostgresCluster extends Construct {
  /** Name of the cluster and prefix of its objects. */
  public readonly clusterName: string;

  /** Namespace of all objects. */
  public readonly namespace: string;

  /** Host name that always leads to the primary: for reads and writes. */
  public readonly primaryHost: string;

  /** Host name that leads to the standbys: for reads that may lag. */
  public readonly replicaHost: string;

  /** Port of PostgreSQL on both hosts. */
  public readonly port: number = POSTGRES_PORT;

  /** Computed again for the few who ask: an app of a thousand clusters would keep 15 MB of it. */
  private readonly resolve: () => ResolvedPostgres;
  private readonly clients: NetworkPeer[];
  private readonly poolers: PostgresPooler[] = [];
  private readonly schedules: BackupSchedule[] = [];
  private readonly peers: NetworkPeers;
  private drills = 0;
  private readonly backupStorage?: BackupStorage;
  private readonly apiObjects = new Map<string, ApiObject>();

  public constructor(scope: Construct, id: string, props: PostgresClusterProps) {
    super(scope, id);
    const given = props ?? {};
    this.clusterName = given.clusterName ?? id;
    this.namespace = given.namespace ?? Chart.of(this).namespace ?? DEFAULT_NAMESPACE;

    const findings = checkPostgres(this.clusterName, this.namespace, given);
    if (findings.length > 0) throw new EverestError(findings, this.node.path);

    this.resolve = () => resolvePostgres(this.clusterName, this.namespace, given);
    const cluster = this.resolve();
    this.backupStorage = given.backup?.storage;
    this.clients = [...given.network?.allowFrom ?? []];
    this.primaryHost = cluster.host;
    this.replicaHost = `${replicaServiceName(this.clusterName)}.${this.namespace}.svc`;
    this.peers = this.networkPeers(given);
    this.createObjects(cluster, given);
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
    throw new EverestError([findingOf(SHAPE_TEXTS.wrongChoice, {
      path: [],
      problem: `the cluster has no ${kind} ${JSON.stringify(name)}; it has ${[...this.apiObjects.keys()].join(', ')}`,
      consequence: 'There is nothing to patch',
      fix: 'Name one of these',
    })], this.node.path);
  }

  /**
   * Secret with the connection of a role that logs in: host, port, dbname, user, password, uri, jdbc-uri.
   *
   * @param role an owner of a database, or one of `roles`; default: the owner of the first database
   */
  public connectionSecret(role?: string): plus.ISecret {
    const logins = this.resolve().roles.filter(({ secret }) => secret !== undefined);
    const found = role === undefined ? logins[0] : logins.find(({ name }) => name === role);
    if (!found) {
      throw new EverestError([findingOf(SHAPE_TEXTS.wrongChoice, {
        path: ['databases'],
        problem: `${role === undefined ? 'there is no database' : `no role that logs in is called ${JSON.stringify(role)}`}; `
          + `those that do are ${logins.map(({ name }) => name).join(', ') || 'none'}`,
        consequence: 'The Secret would never exist',
        fix: 'Name one of them, or add it to roles',
      })], this.node.path);
    }
    const existing = this.node.tryFindChild(`connection-${found.name}`) as plus.ISecret | undefined;
    return existing ?? loadPlus().Secret.fromSecretName(this, `connection-${found.name}`, found.secret!.name);
  }

  /**
   * Lets one more peer connect to PostgreSQL. The first call replaces the default, Pods with the label
   * `access.everest.io/<cluster>`.
   */
  public allowFrom(peer: NetworkPeer): void {
    const findings = checkPeer(peer);
    if (findings.length > 0) throw new EverestError(findings, this.node.path);
    this.clients.push(peer);
  }

  /**
   * Puts PgBouncer in front of the cluster. Its own Service is what clients then connect to; the cluster's Services
   * stay. Nothing of the cluster restarts.
   */
  public addPooler(options: PoolerOptions = {}): PostgresPooler {
    const pooler = new PostgresPooler(this, `pooler-${options.name ?? options.target?.service ?? 'rw'}`, options);
    this.poolers.push(pooler);
    return pooler;
  }

  /**
   * Makes backups at fixed times. Needs `backup`, which says where they go. Nothing of the cluster restarts.
   */
  public addBackupSchedule(options: BackupScheduleOptions): BackupSchedule {
    const schedule = new BackupSchedule(this, `backup-${this.schedules.length}`, options);
    this.schedules.push(schedule);
    for (const object of schedule._objects) this.apiObjects.set(`${object.kind}/${object.name}`, object);
    return schedule;
  }

  /**
   * Restores backups into a throwaway volume at fixed times and looks whether everything is there. Needs `backup`.
   * Nothing of the cluster restarts, and nothing is written to the storage.
   */
  public addRestoreDrill(options: RestoreDrillOptions): RestoreDrill {
    const drill = new RestoreDrill(this, `drill-${this.drills}`, options);
    this.drills += 1;
    for (const object of drill._objects) this.apiObjects.set(`${object.kind}/${object.name}`, object);
    return drill;
  }

  /**
   * The cluster's own repository, for another cluster that is recovered from it: `Bootstrap.recover({ from:
   * orders.recoverySource() })`. The Secrets of the storage and of its pass have to be in that cluster's namespace.
   */
  public recoverySource(): RecoverySource {
    if (this.backupStorage) {
      return RecoverySource.storage(this.backupStorage, { clusterName: this.clusterName, namespace: this.namespace });
    }
    throw new EverestError([findingOf(recoverySourceValid, {
      path: ['backup'], problem: `${this.clusterName} has no backup storage`, fix: 'Give it one (backup.storage)',
    })], this.node.path);
  }

  /**
   * @internal
   */
  public _forParts(): { resolved: ResolvedPostgres; peers: NetworkPeers; clientPeers: unknown } {
    const clientPeers = Lazy.any({ produce: () => this.renderClients() });
    return { resolved: this.resolve(), peers: this.peers, clientPeers };
  }

  private createObjects(cluster: ResolvedPostgres, props: PostgresClusterProps): void {
    const schedules = () => this.schedules.map(({ _resolved }) => _resolved);
    const contract = Lazy.any({ produce: () => renderContract(this.resolve(), schedules()) });
    const manifests = postgresManifests(cluster, { peers: this.peers, contract });
    claimObjects(this, this.namespace, [...manifests.map(objectName), ...reservedObjects(this.clusterName)]);
    claimRepositories(this, cluster);
    for (const manifest of manifests) {
      const name = objectName(manifest);
      this.apiObjects.set(name, new ApiObject(this, name.replace('/', '-'), manifest));
    }
    for (const schedule of props.backup?.schedules ?? []) this.addBackupSchedule(schedule);
    for (const drill of props.backup?.drills ?? []) this.addRestoreDrill(drill);
  }

  private networkPeers({ network = {} }: PostgresClusterProps): NetworkPeers {
    const render = (peers: readonly NetworkPeer[] = []) => peers.map((peer) => peer._toManifest());
    return {
      // Rendered at synthesis, since allowFrom() and addPooler() add to it.
      clients: Lazy.any({
        produce: () =>
          [...this.renderClients(), ...(this.poolers.length > 0 ? [poolerPeer(this.resolve())] : [])],
      }),
      apiServer: render(network.apiServer),
      dns: render(network.dns),
    };
  }

  private renderClients(): Array<Record<string, unknown>> {
    const byLabel = NetworkPeer.podsWithLabels({ [clientLabel(this.clusterName)]: 'true' });
    const clients = this.clients.length > 0 ? this.clients : [byLabel];
    return clients.map((peer) => peer._toManifest());
  }
}
