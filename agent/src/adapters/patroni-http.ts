import { request } from 'node:http';
import type { Patroni, PatroniAnswer } from '../ports/patroni.js';

const PORT = 8008;
/** Patroni's answers are a few kB; more than this is not Patroni. */
const LARGEST_ANSWER = 4 * 1024 * 1024;

interface Call {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly timeoutMs: number;
}

function call({ host, method, path, body, timeoutMs }: Call): Promise<PatroniAnswer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    // No shared agent: Patroni closes each connection after its answer.
    const sent = request({ host, port: PORT, method, path, headers, agent: false, timeout: timeoutMs }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > LARGEST_ANSWER) sent.destroy(new Error('answer too large'));
      });
      response.on('end', () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, body: text });
      });
      response.on('error', reject);
    });
    // A whole answer within the time, not just a sign of life: `timeout` above only counts silence.
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    sent.on('error', (problem) => {
      clearTimeout(timer);
      reject(problem);
    });
    sent.end(body);
  });
}

export class PatroniHttp implements Patroni {
  get(host: string, path: string, timeoutMs: number): Promise<PatroniAnswer> {
    return call({ host, method: 'GET', path, timeoutMs });
  }

  send(host: string, wanted: { method: 'POST' | 'PATCH'; path: string; body: object }, timeoutMs: number): Promise<PatroniAnswer> {
    return call({ host, method: wanted.method, path: wanted.path, body: JSON.stringify(wanted.body), timeoutMs });
  }
}
