/** The Unix socket of a drill's Pod. It outlives no process: its end is the end of whoever wrote. */
import { rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { DrillFeed } from '../ports/drill.js';

export class DrillSocket implements DrillFeed {
  constructor(private readonly path: string) {}

  async* messages(limitMs: number, signal: AbortSignal): AsyncIterable<unknown> {
    const connection = await this.connection(limitMs, signal);
    if (!connection) return;
    signal.addEventListener('abort', () => connection.destroy(), { once: true });
    connection.on('error', () => connection.destroy());
    for await (const line of createInterface({ input: connection })) yield JSON.parse(line) as unknown;
  }

  private async connection(limitMs: number, signal: AbortSignal): Promise<Socket | undefined> {
    await rm(this.path, { force: true });
    const server = createServer();
    const first = new Promise<Socket | undefined>((resolve, reject) => {
      const timer = setTimeout(() => resolve(undefined), limitMs);
      const end = (socket?: Socket) => {
        clearTimeout(timer);
        resolve(socket);
      };
      server.once('connection', end).once('error', reject);
      signal.addEventListener('abort', () => end(), { once: true });
      if (signal.aborted) end();
    });
    // The other container runs as another user; the folder is the Pod's own.
    server.listen({ path: this.path, readableAll: true, writableAll: true });
    return first.finally(() => server.close());
  }
}
