/** One HTTP request with one answer, whole and within a time. */
import { request, type IncomingMessage } from 'node:http';

/** Answers are a few kB; more than this is somebody else's. */
const LARGEST_ANSWER = 4 * 1024 * 1024;

export interface HttpCall {
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

function read(response: IncomingMessage, tooLarge: () => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (part: string) => {
      text += part;
      if (text.length > LARGEST_ANSWER) tooLarge();
    });
    response.on('end', () => resolve(text));
    response.on('error', reject);
  });
}

export function httpCall({ host, port, method, path, body, headers, timeoutMs }: HttpCall): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    // No shared agent: both kinds of members close each connection after its answer.
    const options = { host, port, method, path, headers: { ...length, ...headers }, agent: false, timeout: timeoutMs };
    const sent = request(options, (response) => {
      read(response, () => sent.destroy(new Error('answer too large')))
        .then((text) => resolve({ status: response.statusCode ?? 0, body: text }), reject)
        .finally(() => clearTimeout(timer));
    });
    const late = () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`));
    // A whole answer within the time, not just a sign of life: `timeout` above only counts silence.
    const timer = setTimeout(late, timeoutMs);
    sent.on('timeout', late);
    sent.on('error', (problem) => {
      clearTimeout(timer);
      reject(problem);
    });
    sent.end(body);
  });
}
