/** The Kubernetes API, as far as the agent uses it. One namespace, plain JSON. */

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** Resources that the agent touches; each has its API group in the adapter. */
export type Resource = 'configmaps' | 'secrets' | 'pods' | 'events' | 'statefulsets' | 'leases' | 'nodes';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete';

/** What was asked of the API. */
export interface KubeCall {
  readonly verb: Verb;
  /** `pods`, `pods/eviction` … as RBAC names it. */
  readonly resource: string;
  readonly name?: string;
}

/** What the API answered instead of doing it. `status` 0: no answer at all. */
export class KubeError extends Error {
  readonly verb: Verb;
  readonly resource: string;
  readonly objectName: string | undefined;

  constructor(readonly status: number, { verb, resource, name }: KubeCall, detail: string, options: ErrorOptions = {}) {
    super(`${verb} ${resource}${name ? ` ${name}` : ''}: ${status || 'no answer'} ${detail}`.trim(), options);
    this.name = 'KubeError';
    this.verb = verb;
    this.resource = resource;
    this.objectName = name;
  }

  get conflict(): boolean {
    return this.status === 409;
  }

  get forbidden(): boolean {
    return this.status === 403;
  }

  get notFound(): boolean {
    return this.status === 404;
  }
}

export interface WatchOptions {
  readonly resource: Resource;
  readonly labelSelector: string;
  readonly fieldSelector?: string;
}

/** What a list-and-watch tells. After `listed`, the set of objects is whole. */
export interface WatchHandlers {
  listed(objects: KubeObject[]): void;
  changed(object: KubeObject): void;
  gone(object: KubeObject): void;
  /**
   * The stream broke and could not be set up again; tells since when nothing is known. `undefined`: all is well again.
   */
  trouble(problem: KubeError | undefined): void;
}

export interface Kube {
  get(resource: Resource, name: string): Promise<KubeObject>;
  create(resource: Resource, body: object): Promise<KubeObject>;
  /** JSON merge patch. A `metadata.resourceVersion` or `metadata.uid` in the body makes it conditional (409). */
  patch(resource: Resource, name: string, body: object): Promise<KubeObject>;
  /** The Eviction API: budgets count, 429 when they forbid it now. `uid` keeps a successor of that name safe. */
  evict(pod: string, uid: string): Promise<void>;
  /** Runs until the signal aborts. */
  watch(options: WatchOptions, handlers: WatchHandlers, signal: AbortSignal): Promise<void>;
}
