/**
 * The Kubernetes API over Node's own HTTPS client. The generated client would need 30 MiB more memory for the seven
 * calls that are made here, and its watch gives no say in how a broken stream is taken up again.
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { listAndWatch } from './kube-watch.js';
import type { Clock } from '../ports/clock.js';
import {
  KubeError, type Kube, type KubeObject, type Resource, type Verb, type WatchHandlers, type WatchOptions,
} from '../ports/kube.js';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet renews the token well before it ends; one file read a minute is enough. */
const TOKEN_AGE_MS = 60_000;
/** A frozen API server must not hold a decision for longer than the next look takes. */
const CALL_TIMEOUT_MS = 5_000;

const GROUPS: Record<Resource, string> = {
  configmaps: '/api/v1',
  secrets: '/api/v1',
  pods: '/api/v1',
  events: '/api/v1',
  statefulsets: '/apis/apps/v1',
  leases: '/apis/coordination.k8s.io/v1',
};

export interface KubeAccess {
  readonly host: string;
  readonly port: number;
  readonly namespace: string;
  readonly ca: Buffer | undefined;
  token(): string;
}

/** Access as a Pod's service account has it. */
export function inClusterAccess(environment: NodeJS.ProcessEnv, clock: Clock): KubeAccess {
  const host = environment.KUBERNETES_SERVICE_HOST;
  if (!host) throw new Error('KUBERNETES_SERVICE_HOST is not set: the agent runs in a Pod with a service account token');
  let token = '';
  let readAt = -Infinity;
  return {
    host,
    port: Number(environment.KUBERNETES_SERVICE_PORT ?? 443),
    namespace: environment.POD_NAMESPACE ?? readFileSync(`${ACCOUNT}/namespace`, 'utf8').trim(),
    ca: readFileSync(`${ACCOUNT}/ca.crt`),
    token: () => {
      if (clock.nowMs() - readAt > TOKEN_AGE_MS) {
        token = readFileSync(`${ACCOUNT}/token`, 'utf8').trim();
        readAt = clock.nowMs();
      }
      return token;
    },
  };
}

export interface ApiCall {
  readonly verb: Verb;
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly resource: Resource;
  readonly name?: string;
  readonly subresource?: string;
  readonly query?: string;
  readonly body?: object;
  readonly signal?: AbortSignal;
}

function whatOf(wanted: ApiCall): string {
  return wanted.subresource ? `${wanted.resource}/${wanted.subresource}` : wanted.resource;
}

function reasonIn(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text.slice(0, 200);
  } catch {
    return text.slice(0, 200);
  }
}

export class KubeHttp implements Kube {
  private readonly pool: Agent;
  /** Requests since the start, for the metric. */
  requests = 0;

  constructor(private readonly access: KubeAccess, private readonly clock: Clock) {
    this.pool = new Agent({ keepAlive: true, maxSockets: 16, ...(access.ca ? { ca: access.ca } : {}) });
  }

  get(resource: Resource, name: string): Promise<KubeObject> {
    return this.call({ verb: 'get', method: 'GET', resource, name });
  }

  create(resource: Resource, body: object): Promise<KubeObject> {
    return this.call({ verb: 'create', method: 'POST', resource, body });
  }

  patch(resource: Resource, name: string, body: object): Promise<KubeObject> {
    return this.call({ verb: 'patch', method: 'PATCH', resource, name, body });
  }

  async evict(pod: string, uid: string): Promise<void> {
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod }, deleteOptions: { preconditions: { uid } } };
    await this.call({ verb: 'create', method: 'POST', resource: 'pods', name: pod, subresource: 'eviction', body });
  }

  watch(options: WatchOptions, handlers: WatchHandlers, signal: AbortSignal): Promise<void> {
    return listAndWatch(this, options, handlers, { clock: this.clock, signal });
  }

  /** One request, one JSON answer. */
  async call<T = KubeObject>(wanted: ApiCall): Promise<T> {
    const response = await this.open(wanted, CALL_TIMEOUT_MS);
    const timer = setTimeout(() => response.destroy(new Error('answer took too long')), CALL_TIMEOUT_MS);
    try {
      const text = await textOf(response);
      return JSON.parse(text) as T;
    } catch (problem) {
      throw new KubeError(0, wanted.verb, whatOf(wanted), wanted.name, (problem as Error).message, { cause: problem });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a request and gives the answer's body as a stream; everything but 2xx becomes a KubeError. */
  async open(wanted: ApiCall, timeoutMs: number): Promise<IncomingMessage> {
    this.requests += 1;
    const response = await this.send(wanted, timeoutMs);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    const text = await textOf(response).catch(() => '');
    throw new KubeError(status, wanted.verb, whatOf(wanted), wanted.name, reasonIn(text));
  }

  private send(wanted: ApiCall, timeoutMs: number): Promise<IncomingMessage> {
    const { host, port, namespace } = this.access;
    const path = [`${GROUPS[wanted.resource]}/namespaces/${namespace}/${wanted.resource}`, wanted.name, wanted.subresource].filter(Boolean).join('/');
    const body = wanted.body === undefined ? undefined : JSON.stringify(wanted.body);
    const headers: Record<string, string | number> = { authorization: `Bearer ${this.access.token()}`, accept: 'application/json' };
    if (body !== undefined) {
      headers['content-type'] = wanted.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      headers['content-length'] = Buffer.byteLength(body);
    }
    return new Promise((resolve, reject) => {
      const sent = request(
        { host, port, method: wanted.method, path: wanted.query ? `${path}?${wanted.query}` : path, headers, agent: this.pool,
          ...(wanted.signal ? { signal: wanted.signal } : {}) },
        (response) => {
          clearTimeout(timer);
          resolve(response);
        },
      );
      const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      sent.on('socket', (socket) => socket.setKeepAlive(true, 5_000));
      sent.on('error', (problem) => {
        clearTimeout(timer);
        reject(new KubeError(0, wanted.verb, whatOf(wanted), wanted.name, problem.message, { cause: problem }));
      });
      sent.end(body);
    });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const part of response) text += part as string;
  return text;
}
