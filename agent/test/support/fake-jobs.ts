/** Jobs of a cluster whose Pods do what a test says, look by look. */
import type { Jobs } from '../../src/ports/jobs.js';
import { KubeError, type KubeObject } from '../../src/ports/kube.js';

export interface FakePod {
  readonly name: string;
  readonly status: object;
}

/** What is there at one look. */
export interface Look {
  readonly pods?: readonly FakePod[];
  readonly condition?: { readonly type: 'Complete' | 'Failed'; readonly message?: string };
  readonly away?: boolean;
}

export const CRON_JOB: KubeObject = {
  metadata: { name: 'orders-backup-nightly' },
  spec: {
    schedule: '0 2 * * *',
    jobTemplate: {
      metadata: { labels: { 'everest.io/cluster': 'orders' } },
      spec: {
        backoffLimit: 2,
        template: {
          metadata: { labels: { 'everest.io/component': 'backup' } },
          spec: {
            serviceAccountName: 'orders-backup',
            containers: [{
              name: 'backup', image: 'agent:1',
              args: ['backup', '--cluster', 'orders', '--schedule', 'nightly', '--type', 'incremental', '--repository', '1', '--target', 'primary'],
            }],
          },
        },
      },
    },
  },
};

export class FakeJobs implements Jobs {
  readonly created: KubeObject[] = [];
  readonly cronJobs = new Map<string, KubeObject>([['orders-backup-nightly', CRON_JOB]]);
  /** The last one stays. */
  looks: Look[] = [];
  /** What Pods print. */
  readonly logs = new Map<string, readonly string[]>();
  refuses: KubeError | undefined;

  async cronJob(name: string): Promise<KubeObject | undefined> {
    return this.cronJobs.get(name);
  }

  async create(job: object): Promise<KubeObject> {
    if (this.refuses) throw this.refuses;
    this.created.push(job as KubeObject);
    return { metadata: { name: 'orders-backup-on-demand-x1' } };
  }

  async get(name: string): Promise<KubeObject> {
    this.reach('get', 'jobs');
    const { condition } = this.looks[0]!;
    return { metadata: { name }, status: { conditions: condition ? [{ ...condition, status: 'True' }] : [] } };
  }

  async podsOf(): Promise<readonly KubeObject[]> {
    this.reach('list', 'pods');
    const { pods = [] } = this.looks[0]!;
    if (this.looks.length > 1) this.looks.shift();
    return pods.map(({ name, status }) => ({ metadata: { name }, status }));
  }

  async follow(name: string, line: (text: string) => void): Promise<void> {
    this.logs.get(name)?.forEach(line);
  }

  private reach(verb: 'get' | 'list', resource: string): void {
    if (!this.looks[0]!.away) return;
    if (verb === 'list') this.looks.shift();
    throw new KubeError(0, { verb, resource }, 'connection refused');
  }
}
