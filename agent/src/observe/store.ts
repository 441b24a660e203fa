/** What the watches have told, by name, and whether that is still being kept up to date. */
import type { Maybe } from '../model/facts.js';
import type { Kube, KubeError, KubeObject, WatchOptions } from '../ports/kube.js';

export class Store {
  private objects = new Map<string, KubeObject>();
  private listed = false;
  private problem: KubeError | undefined;

  /** `changed` is called with each object that came, changed or went. */
  constructor(
    private readonly options: WatchOptions,
    private readonly changed: (object: KubeObject, present: boolean) => void,
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

  /** What can be read from it, or `unknown` while it may be old. */
  read<T>(reader: (store: this) => T | undefined): Maybe<T> {
    return (this.current ? reader(this) : undefined) ?? 'unknown';
  }

  /** An answer to our own write may be newer than what the watch has told so far. */
  run(kube: Kube, signal: AbortSignal): Promise<void> {
    return kube.watch(this.options, {
      listed: (objects) => this.replace(objects),
      changed: (object) => {
        this.objects.set(object.metadata.name, object);
        this.changed(object, true);
      },
      gone: (object) => {
        this.objects.delete(object.metadata.name);
        this.changed(object, false);
      },
      trouble: (problem) => {
        this.problem = problem;
      },
    }, signal);
  }

  private replace(objects: KubeObject[]): void {
    const before = this.objects;
    this.objects = new Map(objects.map((object) => [object.metadata.name, object]));
    this.listed = true;
    for (const object of before.values()) {
      if (!this.objects.has(object.metadata.name)) this.changed(object, false);
    }
    for (const object of objects) this.changed(object, true);
  }
}
