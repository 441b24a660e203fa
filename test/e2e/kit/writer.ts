/** Runs writer.py in a Pod of its own: the client that every suite uses to tell what users would have seen. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterApi, Obj } from './cluster-api';
import { isReady } from './cluster-api';
import { POSTGRES_IMAGE } from './images';
import { waitFor } from './wait';

const NAME = 'e2e-writer';
type Range = [first: number, last: number];

export interface WriterOptions {
  readonly namespace: string;
  readonly cluster: string;
  readonly secret: string;
  readonly image?: string;
}

export interface WriterStatus {
  readonly acked: number;
  /** Failed statements and connections since the last mark. */
  readonly errors: number;
  readonly lastError: string;
  /** Seconds without an acknowledgement: each such time above 0.25 s since the last mark, and the longest of all. */
  readonly gaps: readonly number[];
  readonly longestGap: number;
  readonly silent: number;
  readonly nextId: number;
  readonly ranges: readonly Range[];
}

export interface Verdict {
  readonly acked: number;
  readonly lost: number;
  readonly firstLost: readonly number[];
  readonly unacknowledgedPresent: number;
}

export class Writer {
  /** What writers before this one had acknowledged; the Pod may be replaced, the promise stays. */
  private earlier: Range[] = [];
  private firstId = 1;

  constructor(private readonly api: ClusterApi, private readonly options: WriterOptions) {}

  /** `awayFrom` keeps it off a node that is about to fail. */
  async start(awayFrom?: string): Promise<void> {
    await this.api.apply([this.script(), this.pod(awayFrom)], this.options.namespace);
    await waitFor({ what: 'the writer to run', seconds: 60 }, async () => {
      const [pod] = await this.api.pods(this.options.namespace, `app=${NAME}`);
      return pod && isReady(pod) ? undefined : `phase ${pod?.status?.phase ?? 'unknown'}`;
    });
    await this.untilWriting(60);
  }

  async status(): Promise<WriterStatus> {
    return this.ask<WriterStatus>({ do: 'status' });
  }

  /** Gaps and errors count from here. */
  async mark(): Promise<void> {
    await this.ask({ do: 'mark' });
  }

  async untilWriting(seconds: number): Promise<number> {
    const before = await this.status().then((status) => status.acked, () => 0);
    return waitFor({ what: 'the writer to get an acknowledgement', seconds, everyMs: 300 }, async () => {
      const status = await this.status();
      return status.acked > before && status.silent < 1 ? undefined : status.lastError || 'none yet';
    });
  }

  async node(): Promise<string | undefined> {
    const [pod] = await this.api.pods(this.options.namespace, `app=${NAME}`);
    return pod?.spec?.nodeName;
  }

  /** Ends the Pod; what it had acknowledged is remembered for `verify` of the next one. */
  async stop(): Promise<WriterStatus> {
    const last = await this.ask<WriterStatus>({ do: 'stop' });
    this.earlier.push(...last.ranges);
    this.firstId = last.nextId;
    await this.api.core.deleteNamespacedPod({ namespace: this.options.namespace, name: NAME, gracePeriodSeconds: 0 });
    await waitFor({ what: 'the writer to be gone', seconds: 60 }, async () => {
      return (await this.api.pods(this.options.namespace, `app=${NAME}`)).length > 0 ? 'it is there' : undefined;
    });
    return last;
  }

  /** Compares every row that was ever acknowledged with the table. */
  async verify(): Promise<Verdict> {
    return this.ask<Verdict>({ do: 'verify', acked: this.earlier });
  }

  /** Every request may be repeated, so a call that the API server or the kubelet drops is tried again. */
  private async ask<T>(request: object): Promise<T> {
    let reply: T | undefined;
    await waitFor({ what: 'an answer of the writer', seconds: 20, everyMs: 300 }, async () => {
      reply = await this.askOnce<T>(request);
      return undefined;
    });
    return reply!;
  }

  private async askOnce<T>(request: object): Promise<T> {
    const command = ['python3', '/writer/writer.py', 'ask', JSON.stringify(request)];
    const result = await this.api.exec({ namespace: this.options.namespace, pod: NAME, container: 'writer' }, command);
    if (!result.ok) throw new Error(`the writer does not answer: ${result.stderr.trim().split('\n').pop()}`);
    const reply = JSON.parse(result.stdout) as T & { problem?: string };
    if (reply.problem) throw new Error(`the writer says: ${reply.problem}`);
    return reply;
  }

  private script(): Obj {
    const data = { 'writer.py': readFileSync(join(__dirname, 'writer.py'), 'utf8') };
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME }, data } as Obj;
  }

  private pod(awayFrom: string | undefined): Obj {
    const labels = { app: NAME, [`access.everest.io/${this.options.cluster}`]: 'true' };
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: NAME, labels },
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 0,
        securityContext: { runAsNonRoot: true, runAsUser: 10026, seccompProfile: { type: 'RuntimeDefault' } },
        ...(awayFrom ? { affinity: offNode(awayFrom) } : {}),
        containers: [this.container()],
        volumes: [{ name: 'script', configMap: { name: NAME } }, { name: 'tmp', emptyDir: {} }],
      },
    } as Obj;
  }

  private container(): object {
    const fromSecret = (name: string, key: string) =>
      ({ name, valueFrom: { secretKeyRef: { name: this.options.secret, key } } });
    return {
      name: 'writer',
      image: this.options.image ?? POSTGRES_IMAGE.name,
      imagePullPolicy: 'IfNotPresent',
      command: ['python3', '/writer/writer.py', 'run'],
      env: [
        { name: 'DB_HOST', value: `${this.options.cluster}-rw` },
        { name: 'FIRST_ID', value: String(this.firstId) },
        fromSecret('DB_NAME', 'dbname'), fromSecret('DB_USER', 'user'), fromSecret('DB_PASSWORD', 'password'),
      ],
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      volumeMounts: [{ name: 'script', mountPath: '/writer' }, { name: 'tmp', mountPath: '/tmp' }],
    };
  }
}

function offNode(name: string): object {
  const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'NotIn', values: [name] }];
  const requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms: [{ matchExpressions }] };
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution } };
}
