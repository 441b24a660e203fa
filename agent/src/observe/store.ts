/** What the watches have told, by name, and whether that is still being kept up to date. */
import { LABEL } from '../../../src/contract/labels.js';
import type { Maybe } from '../model/facts.js';
import type { Kube, KubeError, KubeObject, WatchOptions } from '../ports/kube.js';

/** Which cluster it belongs to, by its label; nothing of a name without one. */
export function clusterOf(object: KubeObject): string {
  return object.metadata.labels?.[LABEL.cluster] ?? '';
}

export class Store {
  private objects = new Map<string, KubeObject>();
  /** With many clusters most looks are about one of them. */
  private clusters = new Map<string, Map<string, KubeObject>>();
  private listed = false;
  private problem: KubeError | undefined;

  /** `changed` is called with each object that came, changed or went, and with what it was if the watch tells. */
  constructor(
    private readonly options: WatchOptions,
    private readonly changed: (object: KubeObject, present: boolean, before?: KubeObject) => void,
  ) {}

  /** False: what is in here may be old. */
  get current(): boolean {
    return this.listed && this.problem === undefined;
  }

  get trouble(): KubeError | undefined {
    return this.problem;
  }

  get resource(): string {
    return this.options.resource;
  }

  get(name: string): KubeObject | undefined {
    return this.objects.get(name);
  }

  all(): KubeObject[] {
    return [...this.objects.values()];
  }

  of(cluster: string): KubeObject[] {
    return [...(this.clusters.get(cluster)?.values() ?? [])];
  }

  /** What can be read from it, or `unknown` while it may be old. */
  read<T>(reader: (store: this) => T | undefined): Maybe<T> {
    return (this.current ? reader(this) : undefined) ?? 'unknown';
  }

  /** An answer to our own write may be newer than what the watch has told so far. */
  run(kube: Kube, signal: AbortSignal): Promise<void> {
    return kube.watch(this.options, {
      listed: (objects) => this.replace(objects),
      changed: (object) => {
        const before = this.objects.get(object.metadata.name);
        this.keep(object);
        this.changed(object, true, before);
      },
      gone: (object) => {
        this.drop(object);
        this.changed(object, false);
      },
      trouble: (problem) => {
        this.problem = problem;
      },
    }, signal);
  }

  private keep(object: KubeObject): void {
    const { name } = object.metadata;
    const cluster = clusterOf(object);
    const before = this.objects.get(name);
    if (before && clusterOf(before) !== cluster) this.drop(before);
    this.objects.set(name, object);
    const group = this.clusters.get(cluster) ?? new Map<string, KubeObject>();
    this.clusters.set(cluster, group.set(name, object));
  }

  private drop(object: KubeObject): void {
    const { name } = object.metadata;
    const before = this.objects.get(name);
    if (!before) return;
    this.objects.delete(name);
    const group = this.clusters.get(clusterOf(before));
    group?.delete(name);
    if (group?.size === 0) this.clusters.delete(clusterOf(before));
  }

  private replace(objects: KubeObject[]): void {
    const before = this.objects;
    this.objects = new Map();
    this.clusters = new Map();
    objects.forEach((object) => this.keep(object));
    this.listed = true;
    for (const object of before.values()) {
      if (!this.objects.has(object.metadata.name)) this.changed(object, false);
    }
    for (const object of objects) this.changed(object, true);
  }
}
