/** An API server of a few lines in this process: a test says what it answers and reads what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { KubeClient, type KubeLimits } from '../../src/adapters/kube-client.js';
import { SystemClock } from '../../src/adapters/system-clock.js';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answer = (asked: Asked, response: ServerResponse) => void;

export const json = (status: number, body: object): Answer => (_, response) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};

/** What a real one answers when it refuses. */
export const refusal = (code: number, message: string): Answer => json(code, { kind: 'Status', status: 'Failure', code, message });

export const silence: Answer = () => undefined;

export class ApiServer {
  readonly asked: Asked[] = [];
  connections = 0;
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((request, response) => void this.take(request, response));

  private constructor(private readonly answer: Answer) {
    this.server.on('connection', (socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  static async start(test: TestContext, answer: Answer): Promise<ApiServer> {
    const api = new ApiServer(answer);
    await new Promise<void>((listening) => api.server.listen(0, '127.0.0.1', listening));
    test.after(() => api.stop());
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** As a network does that drops every connection. */
  cut(): void {
    this.sockets.forEach((socket) => socket.destroy());
  }

  private stop(): void {
    this.server.close();
    this.cut();
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.url);
    const asked = {
      method: request.method ?? '', path: url.pathname, query: Object.fromEntries(url.searchParams),
      headers: request.headers, body: await text(request),
    };
    this.asked.push(asked);
    this.answer(asked, response);
  }
}

/** Waits in between for the shortest time that it may. */
class HastyClock extends SystemClock {
  override random(): number {
    return 0;
  }
}

/** Wide enough for a busy machine; a test of a limit sets its own. */
const LIMITS: KubeLimits = { callMs: 5_000, silenceMs: 5_000 };

export function configFor(api: ApiServer): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'test', server: api.url, skipTLSVerify: true }, { name: 'agent', token: 'secret' });
  return config;
}

export function clientOf(api: ApiServer, limits: Partial<KubeLimits> = {}, config = configFor(api)): KubeClient {
  return new KubeClient(config, 'shop', new HastyClock(), { ...LIMITS, ...limits });
}

/** Fails after two seconds with what was waited for. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + 2_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
