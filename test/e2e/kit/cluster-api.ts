/** The few things that the suites do with a Kubernetes cluster, by its API alone. */
import { Writable } from 'node:stream';
import type { KubernetesObject, V1EndpointSlice, V1Node, V1Pod, V1Status } from '@kubernetes/client-node';
import {
  ApiException, CoreV1Api, DiscoveryV1Api, Exec, KubeConfig, KubernetesObjectApi, PatchStrategy, StorageV1Api,
  loadAllYaml, setHeaderOptions,
} from '@kubernetes/client-node';
import { waitFor } from './wait';

const FIELD_MANAGER = 'cdk8s-everest-e2e';
export type Obj = KubernetesObject & { metadata: { name: string; namespace?: string } };

export interface ExecTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly ok: boolean;
}

export class ClusterApi {
  private readonly config = new KubeConfig();
  private readonly objects: KubernetesObjectApi;
  private readonly storage: StorageV1Api;
  readonly core: CoreV1Api;
  readonly discovery: DiscoveryV1Api;

  constructor() {
    this.config.loadFromDefault();
    this.objects = KubernetesObjectApi.makeApiClient(this.config);
    this.core = this.config.makeApiClient(CoreV1Api);
    this.discovery = this.config.makeApiClient(DiscoveryV1Api);
    this.storage = this.config.makeApiClient(StorageV1Api);
  }

  get server(): string {
    return this.config.getCurrentCluster()?.server ?? '';
  }

  async createNamespace(name: string): Promise<void> {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await this.core.createNamespace({ body: { metadata: { name, labels } } });
  }

  async deleteNamespace(name: string, wait = true): Promise<void> {
    await this.core.deleteNamespace({ name }).catch(ignoreNotFound);
    await this.releaseVolumes(name);
    if (!wait) return;
    await waitFor({ what: `namespace ${name} to be gone`, seconds: 180, everyMs: 500 }, async () => {
      const found = await this.core.readNamespace({ name }).catch(ignoreNotFound);
      return found ? 'it is there' : undefined;
    });
  }

  /** Volumes hold on to their data by a finalizer of ours; the test's own namespace may go all the same. */
  private async releaseVolumes(namespace: string): Promise<void> {
    for (const { metadata } of (await this.core.listNamespacedPersistentVolumeClaim({ namespace })).items) {
      const finalizers = metadata?.finalizers?.filter((name) => !name.startsWith('everest.io/'));
      const patch = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: metadata?.name, namespace, finalizers } } as Obj;
      await this.objects.patch(patch, undefined, undefined, FIELD_MANAGER, undefined, PatchStrategy.MergePatch)
        .catch(ignoreNotFound);
    }
  }

  /** Server-side apply of every object in its order, as `kubectl apply --server-side` does. */
  async apply(objects: readonly Obj[], namespace: string): Promise<void> {
    for (const object of objects) {
      await this.objects.patch(placed(object, namespace), undefined, undefined, FIELD_MANAGER, true,
        PatchStrategy.ServerSideApply)
        .catch((problem: unknown) => { throw new Error(`apply ${object.kind}/${object.metadata.name}: ${reasonOf(problem)}`); });
    }
  }

  /** `graceSeconds` 0 is `kubectl delete --force --grace-period=0`. */
  async delete(objects: readonly Obj[], namespace: string, graceSeconds?: number): Promise<void> {
    for (const object of objects) {
      await this.objects.delete(placed(object, namespace), undefined, undefined, graceSeconds, undefined, 'Background').catch(ignoreNotFound);
    }
  }

  /** Merges `change` into one object, as `kubectl patch --type=merge` does. */
  async merge(object: Obj, namespace: string, change: object): Promise<void> {
    const { apiVersion, kind, metadata: { name } } = object;
    const metadata = { ...(change as Partial<Obj>).metadata, name, namespace };
    const patch = { apiVersion, kind, ...change, metadata } as Obj;
    await this.objects.patch(patch, undefined, undefined, FIELD_MANAGER, undefined, PatchStrategy.MergePatch);
  }

  /** For Pods that have no kubelet. */
  async mergePodStatus(namespace: string, name: string, body: object): Promise<void> {
    await this.core.patchNamespacedPodStatus({ namespace, name, body }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch));
  }

  async read<T extends Obj>(object: Pick<T, 'apiVersion' | 'kind' | 'metadata'>, namespace: string): Promise<T | undefined> {
    const metadata = { name: object.metadata.name, namespace };
    return (await this.objects.read({ apiVersion: object.apiVersion, kind: object.kind, metadata } as never)
      .catch(ignoreNotFound)) as T | undefined;
  }

  /** Names of the objects of one kind, in order. */
  async names({ apiVersion, kind }: Pick<KubernetesObject, 'apiVersion' | 'kind'>, namespace: string): Promise<string[]> {
    const { items } = await this.objects.list(apiVersion!, kind!, namespace);
    return items.map(({ metadata }) => metadata?.name ?? '?').sort();
  }

  async pods(namespace: string, labelSelector: string): Promise<V1Pod[]> {
    return (await this.core.listNamespacedPod({ namespace, labelSelector })).items;
  }

  async nodes(): Promise<V1Node[]> {
    return (await this.core.listNode()).items;
  }

  async endpointSlices(namespace: string, service: string): Promise<V1EndpointSlice[]> {
    const labelSelector = `kubernetes.io/service-name=${service}`;
    return (await this.discovery.listNamespacedEndpointSlice({ namespace, labelSelector })).items;
  }

  async secret(namespace: string, name: string): Promise<Record<string, string>> {
    const { data } = await this.core.readNamespacedSecret({ namespace, name });
    return Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
  }

  async defaultStorageClass(): Promise<string | undefined> {
    const classes = (await this.storage.listStorageClass()).items;
    const chosen = classes.find((item) => item.metadata?.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true');
    return chosen?.metadata?.name;
  }

  async logs(namespace: string, name: string, container: string, tailLines = 50): Promise<string> {
    return this.core.readNamespacedPodLog({ namespace, name, container, tailLines }).catch((problem) => `no log: ${reasonOf(problem)}`);
  }

  /** Runs a command in a container; a command that fails is a result, a call that fails is an error. */
  async exec({ namespace, pod, container }: ExecTarget, command: string[], seconds = 20): Promise<ExecResult> {
    const stdout = new Collector(), stderr = new Collector();
    let timer: NodeJS.Timeout | undefined;
    const status = await new Promise<V1Status>((done, fail) => {
      timer = setTimeout(() => fail(new Error(`exec in ${pod} gave no answer in ${seconds} s`)), seconds * 1000);
      new Exec(this.config).exec(namespace, pod, container, command, stdout, stderr, null, false, done)
        .then((socket) => { socket.onclose = () => done({ status: 'Closed' }); socket.onerror = () => done({ status: 'Closed' }); })
        .catch((problem: unknown) => fail(new Error(`exec in ${pod}: ${messageOf(problem)}`)));
    }).finally(() => clearTimeout(timer));
    return { stdout: stdout.text, stderr: stderr.text, ok: status.status === 'Success' };
  }
}

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export function parseManifests(yaml: string): Obj[] {
  return (loadAllYaml(yaml) as Obj[]).filter((object) => object?.kind !== undefined);
}

export function isReady(pod: V1Pod): boolean {
  const ready = pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  return ready === true && pod.metadata?.deletionTimestamp === undefined;
}

function placed(object: Obj, namespace: string): Obj {
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function ignoreNotFound(problem: unknown): undefined {
  if (problem instanceof ApiException && problem.code === 404) return undefined;
  throw new Error(reasonOf(problem));
}

function reasonOf(problem: unknown): string {
  if (!(problem instanceof ApiException)) return messageOf(problem);
  const body: unknown = typeof problem.body === 'string' ? safeParse(problem.body) : problem.body;
  const message = (body as { message?: string } | undefined)?.message;
  return `${problem.code} ${message ?? problem.message.slice(0, 300)}`;
}

function safeParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 300) };
  }
}

function messageOf(problem: unknown): string {
  const text = (problem as { message?: string } | undefined)?.message;
  return text ? text : String(problem);
}
