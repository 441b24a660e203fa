/** List, then watch from there, for ever: the part of an informer that the agent needs. */
import type { IncomingMessage } from 'node:http';
import type { KubeHttp } from './kube-http.js';
import type { Clock } from '../ports/clock.js';
import { KubeError, type KubeObject, type WatchHandlers, type WatchOptions } from '../ports/kube.js';

/** Streams end by themselves after 5 to 8 minutes, spread so that replicas and resources do not reconnect together. */
const STREAM_SECONDS = { least: 300, spread: 180 };
const CONNECT_TIMEOUT_MS = 5_000;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;

export interface Running {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface Event {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject & { code?: number; message?: string };
}

interface List {
  readonly metadata: { resourceVersion: string };
  readonly items: KubeObject[];
}

function queryOf(options: WatchOptions, extra: Record<string, string>): string {
  const query = new URLSearchParams({ labelSelector: options.labelSelector, ...extra });
  if (options.fieldSelector) query.set('fieldSelector', options.fieldSelector);
  return query.toString();
}

/** Calls `line` for each line; `ended` when the stream is over, however that came. */
async function eachLine(response: IncomingMessage, line: (text: string) => void): Promise<void> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const part of response) {
    rest += part as string;
    let end = rest.indexOf('\n');
    while (end >= 0) {
      line(rest.slice(0, end));
      rest = rest.slice(end + 1);
      end = rest.indexOf('\n');
    }
  }
}

class Stream {
  /** Where to go on; empty: list first. */
  private version = '';
  private delayMs = FIRST_DELAY_MS;

  constructor(
    private readonly kube: KubeHttp,
    private readonly options: WatchOptions,
    private readonly handlers: WatchHandlers,
    private readonly running: Running,
  ) {}

  async run(): Promise<void> {
    const { signal, clock } = this.running;
    while (!signal.aborted) {
      try {
        if (this.version === '') await this.list();
        await this.follow();
      } catch (problem) {
        if (signal.aborted) return;
        await this.recover(problem);
        await clock.sleep(this.delayMs * (0.5 + clock.random()), signal);
        this.delayMs = Math.min(this.delayMs * 2, LONGEST_DELAY_MS);
      }
    }
  }

  private async list(): Promise<void> {
    const { resource } = this.options;
    const list = await this.kube.call<List>({ verb: 'list', method: 'GET', resource, query: queryOf(this.options, {}) });
    this.handlers.listed(list.items);
    this.version = list.metadata.resourceVersion;
    this.well();
  }

  private async follow(): Promise<void> {
    const { signal, clock } = this.running;
    const query = queryOf(this.options, {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: this.version,
      timeoutSeconds: String(Math.floor(STREAM_SECONDS.least + clock.random() * STREAM_SECONDS.spread)),
    });
    const response = await this.kube.open({ verb: 'watch', method: 'GET', resource: this.options.resource, query, signal }, CONNECT_TIMEOUT_MS);
    this.well();
    try {
      await eachLine(response, (text) => this.take(JSON.parse(text) as Event));
    } finally {
      response.destroy();
    }
  }

  private take(event: Event): void {
    if (event.type === 'ERROR') {
      throw new KubeError(event.object.code ?? 0, 'watch', this.options.resource, undefined, event.object.message ?? '');
    }
    this.version = event.object.metadata.resourceVersion ?? this.version;
    if (event.type === 'DELETED') this.handlers.gone(event.object);
    else if (event.type !== 'BOOKMARK') this.handlers.changed(event.object);
  }

  private well(): void {
    this.delayMs = FIRST_DELAY_MS;
    this.handlers.trouble(undefined);
  }

  private async recover(problem: unknown): Promise<void> {
    const known = problem instanceof KubeError
      ? problem
      : new KubeError(0, 'watch', this.options.resource, undefined, String((problem as Error).message ?? problem));
    // 410: the version is too old to go on from. A refused list or watch may come back with other objects.
    if (known.status === 410 || known.status === 403) this.version = '';
    this.handlers.trouble(known);
  }
}

export function listAndWatch(
  kube: KubeHttp, options: WatchOptions, handlers: WatchHandlers, running: Running,
): Promise<void> {
  return new Stream(kube, options, handlers, running).run();
}
