/** A rule of how evenly the members stand over nodes or zones. */
export interface TopologySpread {
  /** Node label whose values are the domains, such as `topology.kubernetes.io/zone`. */
  readonly topologyKey: string;

  /**
   * Greatest difference in members between two domains.
   *
   * @default 1
   */
  readonly maxSkew?: number;

  /**
   * With true, a member that would break the rule is not scheduled; with false, the rule is a preference.
   *
   * @default false
   */
  readonly required?: boolean;
}

/** Lets members stand on nodes with a taint. Fields as in Kubernetes. */
export interface Toleration {
  /** @default - all keys, with operator `Exists` */
  readonly key?: string;
  /** `Equal` or `Exists`.
   * @default Equal */
  readonly operator?: string;
  /** @default - no value */
  readonly value?: string;
  /** `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
   * @default - all effects */
  readonly effect?: string;
  /** Only with `NoExecute`: seconds until eviction.
   * @default - for ever */
  readonly tolerationSeconds?: number;
}

/** How members keep away from each other. */
export class AntiAffinity {
  /**
   * As even over the nodes as can be, never more than one member apart, also when there are more members than nodes;
   * zones are a preference. The default.
   */
  public static even(): AntiAffinity {
    return new AntiAffinity('even', 'kubernetes.io/hostname');
  }

  /** Never two members in one domain; a member without a free domain waits. */
  public static required(topologyKey: string = 'kubernetes.io/hostname'): AntiAffinity {
    return new AntiAffinity('required', topologyKey);
  }

  /** Rather not two members in one domain. One node's loss can then take several members along. */
  public static preferred(topologyKey: string = 'kubernetes.io/hostname'): AntiAffinity {
    return new AntiAffinity('preferred', topologyKey);
  }

  /** Members may all stand on one node: for throw-away clusters only. */
  public static none(): AntiAffinity {
    return new AntiAffinity('none', 'kubernetes.io/hostname');
  }

  private constructor(
    /** `even`, `required`, `preferred` or `none`. */
    public readonly mode: string,
    /** Node label whose values are the domains. */
    public readonly topologyKey: string,
  ) {}
}

/**
 * Where members run. A change on a living cluster applies to each member when its Pod is next replaced.
 */
export interface Placement {
  /** @default AntiAffinity.even() */
  readonly antiAffinity?: AntiAffinity;

  /**
   * More rules of even spread.
   *
   * @default - a preference for different zones
   */
  readonly topologySpread?: TopologySpread[];

  /** @default - none */
  readonly tolerations?: Toleration[];

  /**
   * Labels that a node must have.
   *
   * @default - any node
   */
  readonly nodeSelector?: { [key: string]: string };
}
