import { httpCall } from './http-call.js';
import type { Patroni, PatroniAnswer } from '../ports/patroni.js';

const PORT = 8008;

export class PatroniHttp implements Patroni {
  get(host: string, path: string, timeoutMs: number): Promise<PatroniAnswer> {
    return httpCall({ host, port: PORT, method: 'GET', path, timeoutMs });
  }

  send(
    host: string, { method, path, body }: { method: 'POST' | 'PATCH'; path: string; body: object }, timeoutMs: number,
  ): Promise<PatroniAnswer> {
    return httpCall({ host, port: PORT, method, path, body: JSON.stringify(body), timeoutMs });
  }
}
