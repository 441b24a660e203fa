import { clusterLabels } from '../contract/labels';
import type { ClusterIdentity } from '../resolve/identity';

/** One Kubernetes object as it goes into Git. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    /** Undefined only for what belongs to no namespace, such as ClusterRoles. */
    readonly namespace?: string;
    readonly labels: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly finalizers?: string[];
  };
  readonly [field: string]: unknown;
}

/** What the metadata of an object has beside the labels and annotations of its cluster. */
export interface MetadataExtras {
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly finalizers?: string[];
}

/** Metadata of one object of a cluster. The library's own labels win over the user's: selectors depend on them. */
export function metadata(cluster: ClusterIdentity, name: string, extras: MetadataExtras = {}): Manifest['metadata'] {
  const annotations = { ...cluster.annotations, ...extras.annotations };
  return {
    name,
    namespace: cluster.namespace,
    labels: { ...cluster.labels, ...clusterLabels(cluster.name, cluster.engine), ...extras.labels },
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    ...(extras.finalizers ? { finalizers: extras.finalizers } : {}),
  };
}

/** `{ [key]: value }`, or nothing for an empty or undefined value: absent fields stay absent in Git. */
export function optional(key: string, value: unknown): Record<string, unknown> {
  const empty = value === undefined || (Array.isArray(value) && value.length === 0)
    || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return empty ? {} : { [key]: value };
}
