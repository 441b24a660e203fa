/** The Kubernetes API as far as executors use it: objects with versions, conflicts on conditional patches, refusals. */
import { KubeError, type Kube, type KubeObject, type Resource } from '../../src/ports/kube.js';

interface Patch {
  readonly metadata?: {
    readonly resourceVersion?: string;
    readonly uid?: string;
    readonly annotations?: Changes;
    readonly labels?: Changes;
  };
  readonly [field: string]: unknown;
}

type Texts = Readonly<Record<string, string>>;
type Changes = Readonly<Record<string, string | null>>;

function merged(old: Texts | undefined, change: Changes | undefined): Texts {
  const all = { ...old, ...change };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null));
}

export class FakeKube implements Kube {
  readonly objects = new Map<string, KubeObject>();
  readonly evicted: string[] = [];
  readonly forbidden = new Set<string>();
  /** Runs before each call; a test changes the world there. */
  before: (verb: string, name: string) => void = () => undefined;
  private version = 100;

  put(resource: Resource, object: KubeObject): void {
    this.version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.version) };
    this.objects.set(`${resource}/${object.metadata.name}`, { ...object, metadata });
  }

  async get(resource: Resource, name: string): Promise<KubeObject> {
    return this.find('get', resource, name);
  }

  async create(resource: Resource, body: object): Promise<KubeObject> {
    this.check('create', resource, '');
    this.put(resource, body as KubeObject);
    return this.objects.get(`${resource}/${(body as KubeObject).metadata.name}`)!;
  }

  async patch(resource: Resource, name: string, body: object): Promise<KubeObject> {
    const old = this.find('patch', resource, name);
    const { metadata, ...rest } = body as Patch;
    const isOther = (key: 'resourceVersion' | 'uid') => metadata?.[key] && metadata[key] !== old.metadata[key];
    if (isOther('resourceVersion') || isOther('uid')) throw new KubeError(409, { verb: 'patch', resource, name }, 'conflict');
    const annotations = merged(old.metadata.annotations, metadata?.annotations);
    const labels = merged(old.metadata.labels, metadata?.labels);
    const data = rest.data ? { data: merged(old.data as Texts, rest.data as Changes) } : {};
    this.put(resource, { ...old, ...rest, ...data, metadata: { ...old.metadata, annotations, labels } });
    return this.find('patch', resource, name);
  }

  async evict(pod: string, uid: string): Promise<void> {
    const old = this.find('create', 'pods', pod);
    if (old.metadata.uid !== uid) throw new KubeError(409, { verb: 'create', resource: 'pods/eviction', name: pod }, 'uid');
    this.evicted.push(pod);
  }

  watch(): Promise<void> {
    return Promise.reject(new Error('not needed here'));
  }

  private check(verb: 'get' | 'patch' | 'create', resource: Resource, name: string): void {
    this.before(verb, name);
    if (this.forbidden.has(`${verb} ${resource}`)) throw new KubeError(403, { verb, resource, name }, 'forbidden');
  }

  private find(verb: 'get' | 'patch' | 'create', resource: Resource, name: string): KubeObject {
    this.check(verb, resource, name);
    const object = this.objects.get(`${resource}/${name}`);
    if (!object) throw new KubeError(404, { verb, resource, name }, 'not found');
    return object;
  }
}
