/** /healthz, /readyz and /metrics. */
import { createServer, type Server } from 'node:http';

export interface Health {
  readonly ok: boolean;
  readonly text: string;
}

export interface HttpSources {
  /** The process works: its loops turn. */
  alive(): Health;
  /** All clusters are healthy, so that whoever waits for this Pod waits for the databases. */
  ready(): Health;
  metrics(): string;
}

export function serve(port: number, sources: HttpSources): Server {
  const answers: Record<string, () => { status: number; text: string }> = {
    '/healthz': () => asAnswer(sources.alive()),
    '/readyz': () => asAnswer(sources.ready()),
    '/metrics': () => ({ status: 200, text: sources.metrics() }),
  };
  const server = createServer((request, response) => {
    const answer = answers[(request.url ?? '').split('?')[0] ?? '']?.() ?? { status: 404, text: 'not found\n' };
    response.writeHead(answer.status, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(answer.text);
  });
  server.listen(port);
  return server;
}

function asAnswer({ ok, text }: Health): { status: number; text: string } {
  return { status: ok ? 200 : 503, text: `${text}\n` };
}
