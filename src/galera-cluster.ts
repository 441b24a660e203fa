import type { Construct } from 'constructs';
import { checkGalera } from './check-galera';
import { MYSQL_PORT } from './contract/ports';
import { EngineCluster } from './engine-cluster';
import { galeraManifests } from './parts/galera-manifests';
import type { NetworkPeers } from './parts/network-policies';
import { renderGaleraContract } from './render/galera-contract';
import { resolveGalera, type GaleraInput, type ResolvedGalera } from './resolve/galera';

/**
 * What `MariaDbCluster` and `PxcCluster` have in common. It is not exported: jsii gives its members to both of them.
 *
 * @internal
 */
export abstract class GaleraCluster extends EngineCluster {
  /** Port on both hosts. */
  public readonly port: number = MYSQL_PORT;

  private readonly resolved: ResolvedGalera;
  private readonly peers: NetworkPeers;

  protected constructor(scope: Construct, id: string, input: GaleraInput) {
    super(scope, id, input.props, (name, namespace) => checkGalera(name, namespace, input));
    this.resolved = resolveGalera(this.clusterName, this.namespace, input);
    this.peers = this._networkPeers(input.props.network);
    const contract = this._contract((schedules) => renderGaleraContract(this.resolved, schedules));
    this._createObjects(galeraManifests(this.resolved, { peers: this.peers, contract }), this.resolved);
    this._createBackups(input.props.backup);
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
    throw this._wrongChoice(['databases'], { problem, consequence: 'The Secret would never exist', fix: 'Name one that is there' });
  }

  /**
   * @internal
   */
  public _forParts(): { resolved: ResolvedGalera; peers: NetworkPeers } {
    return { resolved: this.resolved, peers: this.peers };
  }
}
