/**
 * Every request of the agent, as the library's typed APIs build it. Only the request half of those APIs is taken: their
 * answers would be objects of classes, with times as `Date`s and without fields that the library does not know, while
 * its watch gives plain JSON. Here all is plain JSON.
 */
import type { CoreV1Event, V1ConfigMap, V1Lease, V1Node, V1Pod, V1Secret, V1StatefulSet } from '@kubernetes/client-node';
// By file: the index would bring the API groups and tools that nothing here uses.
import { AppsV1ApiRequestFactory } from '@kubernetes/client-node/dist/gen/apis/AppsV1Api.js';
import { CoordinationV1ApiRequestFactory } from '@kubernetes/client-node/dist/gen/apis/CoordinationV1Api.js';
import { CoreV1ApiRequestFactory } from '@kubernetes/client-node/dist/gen/apis/CoreV1Api.js';
import { createConfiguration } from '@kubernetes/client-node/dist/gen/configuration.js';
import type { RequestContext } from '@kubernetes/client-node/dist/gen/http/http.js';
import { ServerConfiguration } from '@kubernetes/client-node/dist/gen/servers.js';
import { PatchStrategy } from '@kubernetes/client-node/dist/patch.js';
import type { Resource } from '../ports/kube.js';

type Building = Promise<RequestContext>;

interface ResourceRequests {
  get(name: string): Building;
  list(): Building;
  create(body: object): Building;
  patch(name: string, body: object): Building;
}

type Requests<R extends Resource> = Record<R, ResourceRequests>;

function coreRequests(core: CoreV1ApiRequestFactory, namespace: string): Requests<'configmaps' | 'secrets' | 'pods' | 'events' | 'nodes'> {
  return {
    configmaps: {
      get: (name) => core.readNamespacedConfigMap(name, namespace),
      list: () => core.listNamespacedConfigMap(namespace),
      create: (body) => core.createNamespacedConfigMap(namespace, body as V1ConfigMap),
      patch: (name, body) => core.patchNamespacedConfigMap(name, namespace, body),
    },
    secrets: {
      get: (name) => core.readNamespacedSecret(name, namespace),
      list: () => core.listNamespacedSecret(namespace),
      create: (body) => core.createNamespacedSecret(namespace, body as V1Secret),
      patch: (name, body) => core.patchNamespacedSecret(name, namespace, body),
    },
    pods: {
      get: (name) => core.readNamespacedPod(name, namespace),
      list: () => core.listNamespacedPod(namespace),
      create: (body) => core.createNamespacedPod(namespace, body as V1Pod),
      patch: (name, body) => core.patchNamespacedPod(name, namespace, body),
    },
    nodes: {
      get: (name) => core.readNode(name),
      list: () => core.listNode(),
      create: (body) => core.createNode(body as V1Node),
      patch: (name, body) => core.patchNode(name, body),
    },
    events: {
      get: (name) => core.readNamespacedEvent(name, namespace),
      list: () => core.listNamespacedEvent(namespace),
      create: (body) => core.createNamespacedEvent(namespace, body as CoreV1Event),
      patch: (name, body) => core.patchNamespacedEvent(name, namespace, body),
    },
  };
}

function appsRequests(apps: AppsV1ApiRequestFactory, namespace: string): Requests<'statefulsets'> {
  return {
    statefulsets: {
      get: (name) => apps.readNamespacedStatefulSet(name, namespace),
      list: () => apps.listNamespacedStatefulSet(namespace),
      create: (body) => apps.createNamespacedStatefulSet(namespace, body as V1StatefulSet),
      patch: (name, body) => apps.patchNamespacedStatefulSet(name, namespace, body),
    },
  };
}

function coordinationRequests(coordination: CoordinationV1ApiRequestFactory, namespace: string): Requests<'leases'> {
  return {
    leases: {
      get: (name) => coordination.readNamespacedLease(name, namespace),
      list: () => coordination.listNamespacedLease(namespace),
      create: (body) => coordination.createNamespacedLease(namespace, body as V1Lease),
      patch: (name, body) => coordination.patchNamespacedLease(name, namespace, body),
    },
  };
}

/** Builds requests of one namespace; who sends them adds the login. */
export class KubeRequests {
  private readonly requests: Requests<Resource>;
  private readonly core: CoreV1ApiRequestFactory;

  constructor(server: string, private readonly namespace: string) {
    const configuration = createConfiguration({ baseServer: new ServerConfiguration(server, {}) });
    this.core = new CoreV1ApiRequestFactory(configuration);
    this.requests = {
      ...coreRequests(this.core, namespace),
      ...appsRequests(new AppsV1ApiRequestFactory(configuration), namespace),
      ...coordinationRequests(new CoordinationV1ApiRequestFactory(configuration), namespace),
    };
  }

  get(resource: Resource, name: string): Building {
    return this.requests[resource].get(name);
  }

  create(resource: Resource, body: object): Building {
    return this.requests[resource].create(body);
  }

  /** The library would take the first type that the API server offers, which is a JSON patch. */
  async patch(resource: Resource, name: string, body: object): Building {
    const request = await this.requests[resource].patch(name, body);
    request.setHeaderParam('Content-Type', PatchStrategy.MergePatch);
    return request;
  }

  /** The uid keeps a successor of that name safe: 409 when another Pod has it. */
  evict(pod: string, uid: string): Building {
    const body = {
      apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod }, deleteOptions: { preconditions: { uid } },
    };
    return this.core.createNamespacedPodEviction(pod, this.namespace, body);
  }

  async list(resource: Resource, query: Readonly<Record<string, string | undefined>>): Building {
    const request = await this.requests[resource].list();
    for (const [key, value] of Object.entries(query)) if (value !== undefined) request.setQueryParam(key, value);
    return request;
  }
}
