/** Shows what the Pods of a Job print, one after the other, until the Job has ended. */
import type { Clock } from '../ports/clock.js';
import type { Jobs } from '../ports/jobs.js';
import { KubeError, type KubeObject } from '../ports/kube.js';

export type Ended = 'complete' | 'failed' | 'interrupted';

const LOOK_MS = 1_000;

export interface FollowPorts {
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly say: (text: string) => void;
}

interface JobShape {
  readonly status?: { readonly conditions?: ReadonlyArray<{ type: string; status: string; message?: string }> };
}

interface Waiting {
  readonly reason?: string;
  readonly message?: string;
}

interface PodShape {
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: ReadonlyArray<{ type: string; status: string; message?: string }>;
    readonly containerStatuses?: ReadonlyArray<{ state?: { waiting?: Waiting } }>;
  };
}

function conditionOf(job: KubeObject, type: string) {
  return (job as JobShape).status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}

/** Why a Pod prints nothing yet. */
export function waitingFor(pod: KubeObject): string | undefined {
  const { conditions = [], containerStatuses = [] } = (pod as PodShape).status ?? {};
  const unscheduled = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (unscheduled) return `it has no node: ${unscheduled.message ?? 'no reason is given'}`;
  return reasonOf(containerStatuses[0]?.state?.waiting);
}

function reasonOf({ reason, message }: Waiting = {}): string | undefined {
  if (reason === undefined || reason === 'ContainerCreating') return undefined;
  return message ? `${reason}: ${message}` : reason;
}

function hasBegun(pod: KubeObject): boolean {
  return ['Running', 'Succeeded', 'Failed'].includes((pod as PodShape).status?.phase ?? '');
}

export class JobFollower {
  private readonly shown = new Set<string>();
  private last = '';

  constructor(private readonly ports: FollowPorts, private readonly job: string) {}

  async run(signal: AbortSignal): Promise<Ended> {
    while (!signal.aborted) {
      // The Job first: a Pod that ends later than this look has its log read before the Job counts as ended.
      const ended = await this.passing(this.ended(), undefined);
      await this.showPods(signal);
      if (ended && !signal.aborted) return ended;
      await this.ports.clock.sleep(LOOK_MS, signal);
    }
    return 'interrupted';
  }

  private async ended(): Promise<Ended | undefined> {
    const job = await this.ports.jobs.get(this.job);
    const failed = conditionOf(job, 'Failed');
    if (failed?.message) this.once(`Job: ${failed.message}`);
    if (failed) return 'failed';
    return conditionOf(job, 'Complete') ? 'complete' : undefined;
  }

  private async showPods(signal: AbortSignal): Promise<void> {
    const pods = await this.passing(this.ports.jobs.podsOf(this.job), []);
    const fresh = pods.filter(({ metadata }) => !this.shown.has(metadata.name));
    for (const pod of fresh) await this.show(pod, signal);
  }

  private async show(pod: KubeObject, signal: AbortSignal): Promise<void> {
    const { name } = pod.metadata;
    const waiting = waitingFor(pod);
    if (waiting) this.once(`Pod ${name} waits: ${waiting}`);
    if (!hasBegun(pod)) return;
    this.shown.add(name);
    await this.passing(this.ports.jobs.follow(name, this.ports.say, signal), undefined);
  }

  private once(text: string): void {
    if (text !== this.last) this.ports.say(text);
    this.last = text;
  }

  /** The API may be away for a moment while the Job works; what it refuses is no moment. */
  private async passing<T>(answer: Promise<T>, otherwise: T): Promise<T> {
    try {
      return await answer;
    } catch (problem) {
      if (problem instanceof KubeError && problem.status >= 400 && problem.status < 500) throw problem;
      this.once(`The API server does not answer (${(problem as Error).message}); goes on asking.`);
      return otherwise;
    }
  }
}
