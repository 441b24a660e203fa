/**
 * Commands in containers, over a WebSocket to the API server. A backup is silent for as long as it takes, so the
 * connection is kept alive, and its death is noticed, by pings.
 */
import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { V1Status } from '@kubernetes/client-node';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { Exec as Library } from '@kubernetes/client-node/dist/exec.js';
import type { Exec, ExecCall, ExecEnd, ExecOptions, Stream } from '../ports/exec.js';
import { KubeError, type KubeCall } from '../ports/kube.js';

/** Shorter than the idle time-outs of usual load balancers (60 s and more). */
const PING_MS = 20_000;

/** Of the package `ws`, which the library connects with. */
interface Socket {
  ping(): void;
  close(): void;
  terminate(): void;
  on(event: 'pong' | 'message', heard: () => void): void;
  on(event: 'close', ended: (code: number) => void): void;
  on(event: 'error', failed: (problem: Error) => void): void;
}

/** Bytes -> whole lines; what is left without a line end comes when the stream ends. */
class Lines extends Writable {
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';

  constructor(private readonly stream: Stream, private readonly line: ExecOptions['line']) {
    super();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    const lines = (this.rest + this.decoder.write(chunk)).split('\n');
    this.rest = lines.pop()!;
    lines.forEach((text) => this.line(text, this.stream));
    done();
  }

  flush(): void {
    if (this.rest !== '') this.line(this.rest, this.stream);
    this.rest = '';
  }
}

/** The last message of the protocol, which carries the exit code when it is not 0. */
export function endOf(status: V1Status): ExecEnd {
  if (status.status === 'Success') return { exitCode: 0 };
  const code = Number(status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message);
  return Number.isInteger(code) ? { exitCode: code } : { exitCode: undefined, why: status.message ?? 'no reason was given' };
}

function refusal(call: KubeCall, problem: unknown): KubeError {
  const message = (problem as { message?: string }).message ?? String(problem);
  return new KubeError(Number(/server response: (\d+)/.exec(message)?.[1] ?? 0), call, message);
}

export class KubeExec implements Exec {
  private readonly library: Library;

  constructor(config: KubeConfig, private readonly namespace: string, private readonly pingMs = PING_MS) {
    this.library = new Library(config);
  }

  async run({ pod, container, command }: ExecCall, options: ExecOptions): Promise<ExecEnd> {
    const out = new Lines('out', options.line);
    const err = new Lines('err', options.line);
    let told: ExecEnd | undefined;
    const tell = (status: V1Status) => {
      told = endOf(status);
    };
    const opening = this.library.exec(this.namespace, pod, container, [...command], out, err, null, false, tell);
    const socket = await opening.catch((problem: unknown) => {
      throw refusal({ verb: 'create', resource: 'pods/exec', name: pod }, problem);
    }) as unknown as Socket;
    const why = await this.closed(socket, options);
    out.flush();
    err.flush();
    return told ?? { exitCode: undefined, why };
  }

  private closed(socket: Socket, { limitMs, signal }: ExecOptions): Promise<string> {
    return new Promise((resolve) => {
      let heard = true;
      const timers = [
        setInterval(() => {
          if (!heard) return end('nothing was heard of the API server');
          heard = false;
          socket.ping();
        }, this.pingMs),
        setTimeout(() => end(`it did not end within ${Math.round(limitMs / 1000)} s`), limitMs),
      ];
      const end = (why: string) => {
        timers.forEach((timer) => clearTimeout(timer));
        resolve(why);
        socket.terminate();
      };
      const alive = () => { heard = true; };
      socket.on('pong', alive);
      socket.on('message', alive);
      socket.on('error', (problem) => end(problem.message));
      socket.on('close', (code) => end(`the connection was closed (${code})`));
      const stop = () => end('this process was asked to stop');
      if (signal?.aborted) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    });
  }
}
