/** Runs writer.py in a Pod of its own: the clients that every suite uses to tell what users would have seen. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterApi, Obj } from './cluster-api';
import { isReady } from './cluster-api';
import { MARIADB_IMAGE, POSTGRES_IMAGE } from './images';
import type { ServerSeen } from './primaries';
import { waitFor } from './wait';

/** What speaks the database's language in the Pod, and the image that has its driver. */
const ENGINES = {
  postgresql: { driver: 'writer_postgres.py', image: POSTGRES_IMAGE },
  mysql: { driver: 'writer_mysql.py', image: MARIADB_IMAGE },
} as const;

/** The client that every writer has: one connection to the Service of the primary, a row each 10 ms. */
const MAIN = 'rw';
type Range = [first: number, last: number];

export interface ClientSpec {
  readonly name: string;
  readonly host: string;
  /** Milliseconds between two rows. */
  readonly everyMs?: number;
  /** Milliseconds of rest before it connects anew after an error; 20 where none are given. */
  readonly retryMs?: number;
  /** Connects anew for each row. */
  readonly fresh?: boolean;
  /** Asks one member on one connection whether it is a primary by now, and writes as soon as it is. */
  readonly witness?: boolean;
  /** Connects anew between two rows once its connection is so old, as connection pools do. */
  readonly lifetimeMs?: number;
  /** A statement that fails is repeated once, on another connection, before it counts as an error. */
  readonly retrySafe?: boolean;
  /** No time-outs of its own: it waits and holds on as a careless application does. */
  readonly patient?: boolean;
}

export interface WriterOptions {
  /** `postgresql` where none is given. */
  readonly engine?: keyof typeof ENGINES;
  readonly namespace: string;
  readonly cluster: string;
  readonly secret: string;
  /** Name of the Pod; `e2e-writer` where none is given. */
  readonly name?: string;
  /** Clients beside `rw`, or in place of it where one of them has its name. */
  readonly clients?: readonly ClientSpec[];
  readonly onlyThese?: boolean;
}

export interface WriterPlace {
  readonly awayFrom?: string;
  readonly node?: string;
}

export interface ClientStatus {
  readonly acked: number;
  /** Failed statements and connections since the last mark. */
  readonly errors: number;
  readonly lastError: string;
  /** Seconds without an acknowledgement: each such time above 0.1 s since the last mark, and the longest of all. */
  readonly gaps: readonly number[];
  readonly longestGap: number;
  readonly silent: number;
  readonly nextId: number;
  readonly ranges: readonly Range[];
  /** Who acknowledged since the last mark. */
  readonly servers: readonly ServerSeen[];
  /** Since another server has answered: connections that did not come about, statements on those that did. */
  readonly failedAfterMove: { readonly connections: number; readonly statements: number };
  readonly active: boolean;
}

export interface Verdict {
  readonly acked: number;
  readonly lost: number;
  readonly firstLost: ReadonlyArray<[client: string, id: number]>;
}

export class Writer {
  readonly name: string;
  private readonly clients: readonly ClientSpec[];
  /** What writers before this one had acknowledged; the Pod may be replaced, the promise stays. */
  private readonly earlier: Record<string, Range[]> = {};
  private readonly firstIds: Record<string, number> = {};

  constructor(private readonly api: ClusterApi, private readonly options: WriterOptions) {
    this.name = options.name ?? 'e2e-writer';
    const main = { name: MAIN, host: this.primaryHost };
    this.clients = [...(options.onlyThese ? [] : [main]), ...options.clients ?? []];
  }

  /** `awayFrom` keeps it off a node that is about to fail. */
  async start(place: WriterPlace = {}): Promise<void> {
    await this.api.apply([this.script(), this.pod(place)], this.options.namespace);
    await waitFor({ what: `${this.name} to run`, seconds: 60 }, async () => {
      const pod = await this.running();
      return pod && isReady(pod) ? undefined : `phase ${pod?.status?.phase ?? 'unknown'}`;
    });
  }

  async status(client = MAIN): Promise<ClientStatus> {
    return (await this.statuses())[client]!;
  }

  async statuses(): Promise<Record<string, ClientStatus>> {
    return this.ask({ do: 'status' });
  }

  /** Gaps and errors count from here; clients that are not named rest. */
  async mark(clients: readonly string[] = [MAIN]): Promise<void> {
    await this.ask({ do: 'mark', clients });
  }

  /** Until every client that does not rest gets acknowledgements. */
  async untilWriting(seconds: number): Promise<number> {
    const before = await this.statuses().catch((): Record<string, ClientStatus> => ({}));
    return waitFor({ what: `${this.name} to get acknowledgements`, seconds, everyMs: 200 }, async () => {
      const silent = Object.entries(await this.statuses())
        .filter(([name, now]) => now.active && (now.acked <= (before[name]?.acked ?? 0) || now.silent > 1));
      return silent.length === 0 ? undefined : silent.map(([name, { lastError }]) => `${name}: ${lastError || 'none yet'}`).join('; ');
    });
  }

  async node(): Promise<string | undefined> {
    return (await this.running())?.spec?.nodeName;
  }

  /** Ends the Pod; what it had acknowledged is remembered for `verify` of the next one. */
  async stop(): Promise<void> {
    for (const [name, last] of Object.entries(await this.ask<Record<string, ClientStatus>>({ do: 'stop' }))) {
      (this.earlier[name] ??= []).push(...last.ranges);
      this.firstIds[name] = last.nextId;
    }
    await this.delete();
  }

  /** Ends the Pod without a question. */
  async delete(): Promise<void> {
    await this.api.delete([this.pod({})], this.options.namespace, 0);
    await waitFor({ what: `${this.name} to be gone`, seconds: 60 }, async () => (await this.running() ? 'it is there' : undefined));
  }

  /** Compares every row that was ever acknowledged with the table. */
  async verify(): Promise<Verdict> {
    return this.ask<Verdict>({ do: 'verify', acked: this.earlier });
  }

  private get engine(): { readonly driver: string; readonly image: { readonly name: string } } {
    return ENGINES[this.options.engine ?? 'postgresql'];
  }

  private get primaryHost(): string {
    return `${this.options.cluster}-rw`;
  }

  private async running() {
    const [pod] = await this.api.pods(this.options.namespace, `app=${this.name}`);
    return pod;
  }

  /** Every request may be repeated, so a call that the API server or the kubelet drops is tried again. */
  private async ask<T>(request: object): Promise<T> {
    let reply: T | undefined;
    await waitFor({ what: `an answer of ${this.name}`, seconds: 30, everyMs: 300 }, async () => {
      reply = await this.askOnce<T>(request);
      return undefined;
    });
    return reply!;
  }

  private async askOnce<T>(request: object): Promise<T> {
    const command = ['python3', '/writer/writer.py', 'ask', JSON.stringify(request)];
    const result = await this.api.exec({ namespace: this.options.namespace, pod: this.name, container: 'writer' }, command);
    if (!result.ok) throw new Error(`the writer does not answer: ${result.stderr.trim().split('\n').pop()}`);
    const reply = JSON.parse(result.stdout) as T & { problem?: string };
    if (reply.problem) throw new Error(`the writer says: ${reply.problem}`);
    return reply;
  }

  private script(): Obj {
    const text = (file: string) => readFileSync(join(__dirname, file), 'utf8');
    const data = { 'writer.py': text('writer.py'), 'database.py': text(this.engine.driver) };
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'e2e-writer' }, data } as Obj;
  }

  private pod({ awayFrom, node }: WriterPlace): Obj {
    const labels = { app: this.name, [`access.everest.io/${this.options.cluster}`]: 'true' };
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: this.name, labels },
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 0,
        securityContext: { runAsNonRoot: true, runAsUser: 10026, seccompProfile: { type: 'RuntimeDefault' } },
        ...(awayFrom ? { affinity: byName('NotIn', awayFrom) } : {}),
        ...(node ? { affinity: byName('In', node) } : {}),
        containers: [this.container()],
        volumes: [{ name: 'script', configMap: { name: 'e2e-writer' } }, { name: 'tmp', emptyDir: {} }],
      },
    } as Obj;
  }

  private container(): object {
    const fromSecret = (name: string, key: string) =>
      ({ name, valueFrom: { secretKeyRef: { name: this.options.secret, key } } });
    const clients = this.clients.map((client) => ({ ...client, firstId: this.firstIds[client.name] ?? 1 }));
    return {
      name: 'writer',
      image: this.engine.image.name,
      imagePullPolicy: 'IfNotPresent',
      command: ['python3', '/writer/writer.py', 'run'],
      env: [
        { name: 'DB_HOST', value: this.primaryHost },
        { name: 'CLIENTS', value: JSON.stringify(clients) },
        fromSecret('DB_NAME', 'dbname'), fromSecret('DB_USER', 'user'), fromSecret('DB_PASSWORD', 'password'),
      ],
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      volumeMounts: [{ name: 'script', mountPath: '/writer' }, { name: 'tmp', mountPath: '/tmp' }],
    };
  }
}

function byName(operator: 'In' | 'NotIn', node: string): object {
  const matchExpressions = [{ key: 'kubernetes.io/hostname', operator, values: [node] }];
  const requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms: [{ matchExpressions }] };
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution } };
}
