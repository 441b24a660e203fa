/**
 * Sends the library's requests over connections that stay open. The library itself makes a new pool for each call, so
 * that each call waits for a TLS handshake; a lease is cleared between two renewals, and has no time for that.
 */
import { Agent as PlainAgent, request as plainRequest, type IncomingMessage } from 'node:http';
import { Agent, request as tlsRequest, type RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { RequestContext } from '@kubernetes/client-node/dist/gen/http/http.js';

/** Four watches, and calls of as many clusters as are likely to fail together. More of them wait for each other. */
const MOST_SOCKETS = 16;
/** Of a connection that is silent for that long, the kernel asks whether its other end is still there. */
const KEEP_ALIVE_MS = 5_000;
const POOL = { keepAlive: true, maxSockets: MOST_SOCKETS };

export class KubeTransport {
  private readonly pools = { 'https:': new Agent(POOL), 'http:': new PlainAgent(POOL) };

  constructor(private readonly config: KubeConfig) {}

  /** The answer as soon as its headers are there, whatever its status. The signal ends its body as well. */
  async send(request: RequestContext, signal: AbortSignal): Promise<IncomingMessage> {
    const url = new URL(request.getUrl());
    const access = await this.access();
    const isPlain = url.protocol === 'http:';
    const options = {
      ...access,
      method: request.getHttpMethod(),
      headers: { ...request.getHeaders(), ...access.headers },
      agent: this.pools[isPlain ? 'http:' : 'https:'],
      signal,
    };
    return new Promise((resolve, reject) => {
      const sent = (isPlain ? plainRequest : tlsRequest)(url, options, resolve);
      sent.on('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
      sent.on('error', reject);
      sent.end(request.getBody());
    });
  }

  /** CA and token, or what a kubeconfig has instead. The library reads the token's file again once a minute. */
  private async access(): Promise<RequestOptions> {
    const options: RequestOptions = {};
    await this.config.applyToHTTPSOptions(options);
    return options;
  }
}
