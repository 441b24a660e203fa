/** The Kubernetes API by the library's requests, with limits on time and errors that name verb and resource. */
import type { IncomingMessage } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { RequestContext } from '@kubernetes/client-node/dist/gen/http/http.js';
import { Deadline } from './deadline.js';
import { KubeRequests } from './kube-requests.js';
import { KubeTransport } from './kube-transport.js';
import { listAndWatch } from './kube-watch.js';
import type { Clock } from '../ports/clock.js';
import {
  KubeError, type Kube, type KubeCall, type KubeObject, type Resource, type WatchHandlers, type WatchOptions,
} from '../ports/kube.js';

export interface KubeLimits {
  /** From the request to the end of its answer. */
  readonly callMs: number;
  /** Without a byte on a watch. */
  readonly silenceMs: number;
}

/**
 * 5 s: a frozen API server must not hold a decision for longer than the next look takes. 100 s: the API server sends a
 * bookmark on a quiet watch about once a minute.
 */
const LIMITS: KubeLimits = { callMs: 5_000, silenceMs: 100_000 };

/** Access as a Pod's service account has it. */
export function inClusterConfig(environment: NodeJS.ProcessEnv): KubeConfig {
  if (!environment.KUBERNETES_SERVICE_HOST) {
    throw new Error('KUBERNETES_SERVICE_HOST is not set: the agent runs in a Pod with a service account token');
  }
  const config = new KubeConfig();
  config.loadFromCluster();
  return config;
}

function reasonIn(answer: string): string {
  try {
    return (JSON.parse(answer) as { message?: string }).message ?? answer.slice(0, 200);
  } catch {
    return answer.slice(0, 200);
  }
}

export class KubeClient implements Kube {
  readonly build: KubeRequests;
  /** Requests since the start, for the metric. */
  requests = 0;
  private readonly transport: KubeTransport;

  constructor(
    config: KubeConfig, namespace: string, private readonly clock: Clock, readonly limits: KubeLimits = LIMITS,
  ) {
    const server = config.getCurrentCluster()?.server;
    if (!server) throw new Error('the kubeconfig names no API server');
    this.build = new KubeRequests(server, namespace);
    this.transport = new KubeTransport(config);
  }

  get(resource: Resource, name: string): Promise<KubeObject> {
    return this.call({ verb: 'get', resource, name }, this.build.get(resource, name));
  }

  create(resource: Resource, body: object): Promise<KubeObject> {
    return this.call({ verb: 'create', resource }, this.build.create(resource, body));
  }

  patch(resource: Resource, name: string, body: object): Promise<KubeObject> {
    return this.call({ verb: 'patch', resource, name }, this.build.patch(resource, name, body));
  }

  async evict(pod: string, uid: string): Promise<void> {
    await this.call({ verb: 'create', resource: 'pods/eviction', name: pod }, this.build.evict(pod, uid));
  }

  watch(options: WatchOptions, handlers: WatchHandlers, signal: AbortSignal): Promise<void> {
    return listAndWatch(this, options, handlers, { clock: this.clock, signal });
  }

  /** One request, one JSON answer. */
  async call<T = KubeObject>(call: KubeCall, building: Promise<RequestContext>): Promise<T> {
    const deadline = new Deadline();
    deadline.within(this.limits.callMs);
    try {
      const response = await this.open(call, await building, deadline);
      return JSON.parse(await textOf(response)) as T;
    } catch (problem) {
      throw this.named(call, deadline.cause(problem));
    } finally {
      deadline.end();
    }
  }

  /** Sends a request and gives the answer's body as a stream; everything but 2xx becomes a KubeError. */
  async open(call: KubeCall, request: RequestContext, deadline: Deadline): Promise<IncomingMessage> {
    this.requests += 1;
    const response = await this.transport.send(request, deadline.signal);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw new KubeError(status, call, reasonIn(await textOf(response)));
  }

  /** What has no name yet came from the network. */
  named(call: KubeCall, problem: Error): KubeError {
    return problem instanceof KubeError ? problem : new KubeError(0, call, problem.message, { cause: problem });
  }
}
