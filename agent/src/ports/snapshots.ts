/** VolumeSnapshots of the namespace: objects of another project, which a Kubernetes cluster may not have at all. */
import type { KubeObject } from './kube.js';

export interface Snapshots {
  /** Rejects with a KubeError that says `notFound` where nobody knows the kind. */
  list(labelSelector: string): Promise<readonly KubeObject[]>;
  get(name: string): Promise<KubeObject>;
  create(body: object): Promise<KubeObject>;
  /** JSON merge patch. */
  patch(name: string, body: object): Promise<KubeObject>;
  /** Only this one, and no successor of its name. */
  delete(name: string, uid: string): Promise<void>;
}
