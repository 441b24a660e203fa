/** Jobs and the Pods they make, for whoever starts one and waits for its end. */
import type { KubeObject } from './kube.js';

export interface Jobs {
  /** Undefined: there is none of that name. */
  cronJob(name: string): Promise<KubeObject | undefined>;
  create(job: object): Promise<KubeObject>;
  get(name: string): Promise<KubeObject>;
  podsOf(job: string): Promise<readonly KubeObject[]>;
  /** Each line of a Pod's log as it comes; ends with the container, or when the signal aborts. */
  follow(pod: string, line: (text: string) => void, signal: AbortSignal): Promise<void>;
}
