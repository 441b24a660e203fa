/** VolumeSnapshots with a driver that a test tells what to do. */
import { KubeError, type KubeObject, type Verb } from '../../src/ports/kube.js';
import type { Snapshots } from '../../src/ports/snapshots.js';

interface Body {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

export class FakeSnapshots implements Snapshots {
  readonly objects = new Map<string, KubeObject>();
  /** What the driver makes of a new one. */
  status: (name: string) => object = () => ({ creationTime: '2026-01-01T00:00:01Z', readyToUse: true });
  /** Runs before each call; a test may refuse it there. */
  before: (verb: Verb, name: string) => void = () => undefined;

  put(object: KubeObject): void {
    this.objects.set(object.metadata.name, { ...object, metadata: { uid: `uid-${object.metadata.name}`, ...object.metadata } });
  }

  async list(labelSelector: string): Promise<readonly KubeObject[]> {
    this.before('list', '');
    const wanted = labelSelector.split(',').map((part) => part.split('=') as [string, string]);
    const fits = ({ metadata }: KubeObject) => wanted.every(([key, value]) => metadata.labels?.[key] === value);
    return [...this.objects.values()].filter(fits);
  }

  async get(name: string): Promise<KubeObject> {
    const found = this.find('get', name);
    return { ...found, status: found.status ?? this.status(name) };
  }

  async create(body: object): Promise<KubeObject> {
    const { metadata: { name } } = body as Body;
    this.before('create', name);
    this.put({ ...body, status: undefined } as unknown as KubeObject);
    return this.objects.get(name)!;
  }

  async patch(name: string, body: object): Promise<KubeObject> {
    const old = this.find('patch', name);
    const { annotations = {} } = (body as Body).metadata;
    this.put({ ...old, status: this.status(name), metadata: { ...old.metadata, annotations } });
    return this.objects.get(name)!;
  }

  async delete(name: string, uid: string): Promise<void> {
    const old = this.find('delete', name);
    if (old.metadata.uid !== uid) throw new KubeError(409, { verb: 'delete', resource: 'volumesnapshots', name }, 'uid');
    this.objects.delete(name);
  }

  private find(verb: Verb, name: string): KubeObject {
    this.before(verb, name);
    const found = this.objects.get(name);
    if (!found) throw new KubeError(404, { verb, resource: 'volumesnapshots', name }, 'not found');
    return found;
  }
}
