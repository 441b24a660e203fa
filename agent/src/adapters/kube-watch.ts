/** List, then watch from there, for ever: the part of an informer that the agent needs. */
import type { IncomingMessage } from 'node:http';
import { Deadline } from './deadline.js';
import type { KubeClient } from './kube-client.js';
import type { Clock } from '../ports/clock.js';
import { KubeError, type KubeCall, type KubeObject, type WatchHandlers, type WatchOptions } from '../ports/kube.js';

/** Streams end by themselves after 5 to 8 minutes, spread so that replicas and resources do not reconnect together. */
const STREAM_SECONDS = { least: 300, spread: 180 };
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
/** With these the version still stands: no answer, too many requests, a server that starts or stops. */
const PASSING = [0, 429, 500, 502, 503];

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

/** Calls `line` for each whole line, and `heard` for whatever came. */
async function eachLine(response: IncomingMessage, heard: () => void, line: (text: string) => void): Promise<void> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const part of response) {
    heard();
    const lines = (rest + (part as string)).split('\n');
    rest = lines.pop()!;
    lines.forEach(line);
  }
}

class Stream {
  /** Where to go on; empty: list first. */
  private version = '';
  private delayMs = FIRST_DELAY_MS;
  private readonly selectors: Readonly<Record<string, string | undefined>>;

  constructor(
    private readonly kube: KubeClient,
    private readonly options: WatchOptions,
    private readonly handlers: WatchHandlers,
    private readonly running: Running,
  ) {
    this.selectors = { labelSelector: options.labelSelector, fieldSelector: options.fieldSelector };
  }

  async run(): Promise<void> {
    const { signal, clock } = this.running;
    while (!signal.aborted) {
      await this.once().catch((problem: unknown) => this.recover(problem));
      // Also after an end without fault: a proxy that ends each stream at once must not make a storm.
      await clock.sleep(this.delayMs * (0.5 + clock.random()), signal);
    }
  }

  private async once(): Promise<void> {
    if (this.version === '') await this.list();
    const call: KubeCall = { verb: 'watch', resource: this.options.resource };
    const deadline = new Deadline(this.running.signal);
    try {
      await this.follow(call, deadline);
    } catch (problem) {
      throw this.kube.named(call, deadline.cause(problem));
    } finally {
      deadline.end();
    }
  }

  private async list(): Promise<void> {
    const { resource } = this.options;
    const list = await this.kube.call<List>({ verb: 'list', resource }, this.kube.build.list(resource, this.selectors));
    this.handlers.listed(list.items);
    this.version = list.metadata.resourceVersion;
    this.well();
  }

  private async follow(call: KubeCall, deadline: Deadline): Promise<void> {
    const { callMs, silenceMs } = this.kube.limits;
    deadline.within(callMs);
    const request = await this.kube.build.list(this.options.resource, {
      ...this.selectors,
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: this.version,
      timeoutSeconds: String(Math.floor(STREAM_SECONDS.least + this.running.clock.random() * STREAM_SECONDS.spread)),
    });
    const response = await this.kube.open(call, request, deadline);
    const heard = () => deadline.within(silenceMs);
    heard();
    this.well();
    await eachLine(response, heard, (text) => this.take(call, JSON.parse(text) as Event));
  }

  private take(call: KubeCall, event: Event): void {
    if (event.type === 'ERROR') throw new KubeError(event.object.code ?? 0, call, event.object.message ?? '');
    this.version = event.object.metadata.resourceVersion ?? this.version;
    if (event.type === 'DELETED') this.handlers.gone(event.object);
    else if (event.type !== 'BOOKMARK') this.handlers.changed(event.object);
  }

  private well(): void {
    this.delayMs = FIRST_DELAY_MS;
    this.handlers.trouble(undefined);
  }

  private recover(problem: unknown): void {
    if (this.running.signal.aborted) return;
    const known = this.kube.named({ verb: 'watch', resource: this.options.resource }, problem as Error);
    // Above all 410: the version is too old to go on from. What was refused may come back with other objects, too.
    if (!PASSING.includes(known.status)) this.version = '';
    this.handlers.trouble(known);
    this.delayMs = Math.min(this.delayMs * 2, LONGEST_DELAY_MS);
  }
}

export function listAndWatch(
  kube: KubeClient, options: WatchOptions, handlers: WatchHandlers, running: Running,
): Promise<void> {
  return new Stream(kube, options, handlers, running).run();
}
