import type { Placement } from './placement';
import type { Resources } from './resources';

/**
 * HAProxy in front of a Galera cluster: one writer, and readers. Each Pod asks the members which of them is the writer,
 * so all Pods agree, and none of them keeps a state of its own. A change replaces its Pods one after the other.
 */
export interface GaleraProxyOptions {
  /**
   * Pods of HAProxy. One alone is a single point of failure.
   *
   * @default 2
   */
  readonly instances?: number;

  /**
   * Image, with a fixed tag or a digest. Its entrypoint must be HAProxy, 2.4 or newer.
   *
   * @default cdk8s-everest/haproxy:3.0
   */
  readonly image?: string;

  /**
   * CPU and memory of each Pod.
   *
   * @default - CPU 100m, memory 128Mi
   */
  readonly resources?: Resources;

  /**
   * Where the Pods run.
   *
   * @default - evenly over the nodes, with a preference for different zones
   */
  readonly placement?: Placement;

  /**
   * Connections that each Pod takes, for writes and reads together.
   *
   * @default 2048
   */
  readonly maxConnections?: number;
}
