import { Lazy } from 'cdk8s';
import type * as plus from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import type { BackupStorage } from './backup-storage';
import { checkPostgres, reservedObjects } from './check-postgres';
import { POSTGRES_PORT } from './contract/ports';
import { EngineCluster } from './engine-cluster';
import { EverestError } from './errors';
import type { NetworkPeers } from './parts/network-policies';
import { poolerPeer } from './parts/pooler';
import { postgresManifests } from './parts/postgres-manifests';
import type { PoolerOptions } from './pooler';
import type { PostgresClusterProps } from './postgres-cluster-props';
import { PostgresPooler } from './postgres-pooler';
import { RecoverySource } from './recovery-source';
import { renderContract } from './render/contract';
import { resolvePostgres, type ResolvedPostgres } from './resolve/postgres';
import { recoverySourceValid } from './rules/recovery-valid';
import { findingOf } from './rules/run';

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
export class PostgresCluster extends EngineCluster {
  /** Port of PostgreSQL on both hosts. */
  public readonly port: number = POSTGRES_PORT;

  /** Computed again for the few who ask: an app of a thousand clusters would keep 15 MB of it. */
  private readonly resolve: () => ResolvedPostgres;
  private readonly poolers: PostgresPooler[] = [];
  private readonly peers: NetworkPeers;
  private readonly backupStorage?: BackupStorage;

  public constructor(scope: Construct, id: string, props: PostgresClusterProps) {
    const given = props ?? {};
    super(scope, id, given, (name, namespace) => checkPostgres(name, namespace, given));
    this.resolve = () => resolvePostgres(this.clusterName, this.namespace, given);
    const cluster = this.resolve();
    this.backupStorage = given.backup?.storage;
    this.peers = this._networkPeers(given.network, () => (this.poolers.length > 0 ? [poolerPeer(this.resolve())] : []));
    const contract = this._contract((schedules) => renderContract(this.resolve(), schedules));
    const manifests = postgresManifests(cluster, { peers: this.peers, contract });
    this._createObjects(manifests, cluster, reservedObjects(this.clusterName));
    this._createBackups(given.backup);
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
      const problem = `${role === undefined ? 'there is no database' : `no role that logs in is called ${JSON.stringify(role)}`}; `
        + `those that do are ${logins.map(({ name }) => name).join(', ') || 'none'}`;
      const fix = 'Name one of them, or add it to roles';
      throw this._wrongChoice(['databases'], { problem, consequence: 'The Secret would never exist', fix });
    }
    const existing = this.node.tryFindChild(`connection-${found.name}`) as plus.ISecret | undefined;
    return existing ?? loadPlus().Secret.fromSecretName(this, `connection-${found.name}`, found.secret!.name);
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
    const clientPeers = Lazy.any({ produce: () => this._clientPeers() });
    return { resolved: this.resolve(), peers: this.peers, clientPeers };
  }
}
