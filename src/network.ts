/**
 * Who may connect to a cluster, or whom its members may connect to.
 */
export class NetworkPeer {
  /** Pods of the cluster's own namespace that carry all of these labels. */
  public static podsWithLabels(labels: { [key: string]: string }): NetworkPeer {
    return new NetworkPeer({ podSelector: { matchLabels: { ...labels } } });
  }

  /** Pods of another namespace; with labels, only those that carry all of them. */
  public static podsInNamespace(namespace: string, labels: { [key: string]: string } = {}): NetworkPeer {
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
    return Object.keys(labels).length === 0
      ? new NetworkPeer({ namespaceSelector })
      : new NetworkPeer({ namespaceSelector, podSelector: { matchLabels: { ...labels } } });
  }

  /** Every Pod of the cluster's own namespace. */
  public static ownNamespace(): NetworkPeer {
    return new NetworkPeer({ podSelector: {} });
  }

  /** A range of addresses, such as `10.0.0.0/16`, outside the Pod network. */
  public static cidr(cidr: string): NetworkPeer {
    return new NetworkPeer({ ipBlock: { cidr } });
  }

  private constructor(private readonly peer: Record<string, unknown>) {}

  /**
   * The peer as Kubernetes writes it.
   *
   * @internal
   */
  public _toManifest(): Record<string, unknown> {
    return this.peer;
  }
}

/**
 * NetworkPolicies of the members. Everything is denied both ways but what is named here, and what the members need.
 *
 * A change on a living cluster takes effect at once; open connections may go on, depending on the network plugin.
 */
export interface NetworkOptions {
  /**
   * Clients that may connect to PostgreSQL. More can be added with `allowFrom()`.
   *
   * @default - Pods of the same namespace that carry the label `access.everest.io/<cluster>: "true"`
   */
  readonly allowFrom?: NetworkPeer[];

  /**
   * Where the Kubernetes API server is. Members reach it on the ports 443 and 6443.
   *
   * @default - any address, since its address is not known at synthesis; name it to make the rule exact
   */
  readonly apiServer?: NetworkPeer[];

  /**
   * Where DNS is. Members reach it on port 53.
   *
   * @default - any address
   */
  readonly dns?: NetworkPeer[];
}
