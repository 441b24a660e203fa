/**
 * `kubectl everest backup`: a Job like those of the schedules, made now and followed to its end. Where there is no
 * schedule nothing tells which image a Job would need, so the work is done from here.
 */
import type { BackupRequest } from './arguments.js';
import { CommandError, contractOf, INTERRUPTED } from './command.js';
import { JobFollower, type Ended } from './follow-job.js';
import { ON_DEMAND } from '../../../src/contract/backup.js';
import type { ContractBackup, ContractSchedule } from '../../../src/contract/document.js';
import { backupName } from '../../../src/contract/names.js';
import { BackupJob, EXIT } from '../backup-job.js';
import type { BackupPorts } from '../backup-work.js';
import type { Jobs } from '../ports/jobs.js';
import type { KubeObject } from '../ports/kube.js';

export interface CommandPorts extends BackupPorts {
  readonly jobs: Jobs;
  readonly namespace: string;
  /** Who works from here, for others who wait for the lock. */
  readonly identity: string;
}

/** Long enough to look at what happened. */
const KEPT_SECONDS = 86_400;

interface Template {
  readonly metadata?: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: ReadonlyArray<{ readonly args?: readonly string[] }> } };
  };
}

/** The same words, with other values behind some options. */
export function withOptions(args: readonly string[], options: Readonly<Record<string, string>>): string[] {
  const kept = args.flatMap((word, index) => {
    const isValue = (args[index - 1] ?? '').slice(2) in options;
    return isValue || word.slice(2) in options ? [] : [word];
  });
  return [...kept, ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])];
}

/** The schedule whose Job is the nearest to what is wanted; one of VolumeSnapshots has other words. */
export function nearestSchedule({ schedules }: Pick<ContractBackup, 'schedules'>,
  request: BackupRequest): ContractSchedule | undefined {
  const points = ({ type, repository }: ContractSchedule) => (
    Number(repository === request.repository) * 2 + Number(type === request.type)
  );
  return schedules.filter(({ type }) => type !== 'snapshot').sort((one, two) => points(two) - points(one))[0];
}

export function jobFrom(cronJob: KubeObject, cluster: string, options: Readonly<Record<string, string>>): object {
  const template = (cronJob as unknown as { spec: { jobTemplate: Template } }).spec.jobTemplate;
  const { spec: pod, ...podRest } = template.spec.template;
  const argsOf = ({ args = [] }: { readonly args?: readonly string[] }) => withOptions(args, options);
  const containers = pod.containers.map((container) => ({ ...container, args: argsOf(container) }));
  return {
    apiVersion: 'batch/v1', kind: 'Job',
    metadata: {
      generateName: `${backupName(cluster)}-${ON_DEMAND}-`,
      labels: template.metadata?.labels ?? {},
      annotations: { ...template.metadata?.annotations, 'cronjob.kubernetes.io/instantiate': 'manual' },
    },
    spec: {
      ...template.spec, ttlSecondsAfterFinished: KEPT_SECONDS,
      template: { ...podRest, spec: { ...pod, containers } },
    },
  };
}

export class BackupCommand {
  constructor(private readonly ports: CommandPorts, private readonly request: BackupRequest) {}

  async run(signal: AbortSignal): Promise<number> {
    const { cluster, type } = this.request;
    const backup = await this.contractBackup();
    const schedule = nearestSchedule(backup, this.request);
    const repository = this.request.repository ?? schedule?.repository ?? backup.repositories[0]!.key;
    const cronJob = schedule && await this.ports.jobs.cronJob(`${backupName(cluster)}-${schedule.name}`);
    if (!cronJob) return this.fromHere(repository, signal);
    const options = { schedule: ON_DEMAND, type, repository: String(repository) };
    return this.follow(await this.ports.jobs.create(jobFrom(cronJob, cluster, options)), signal);
  }

  private async contractBackup(): Promise<Omit<ContractBackup, 'stanza'>> {
    const { cluster } = this.request;
    const { backup } = await contractOf(this.ports.kube, this.ports.namespace, cluster);
    if (!backup) throw new CommandError(`Cluster ${cluster} has no storage for backups, so there is nothing to back up to. Give it one (backup.storage) and apply.`);
    return backup;
  }

  private fromHere(repository: number, signal: AbortSignal): Promise<number> {
    const { cluster, type } = this.request;
    this.ports.say(`${cluster} has no schedule whose Job could be taken. The backup is made from here: keep the connection until it ends.`);
    const order = { cluster, type, repository, schedule: ON_DEMAND, target: 'primary' as const };
    return new BackupJob(this.ports, order, this.ports.identity).run(signal);
  }

  private async follow(job: KubeObject, signal: AbortSignal): Promise<number> {
    const { name } = job.metadata;
    const { namespace, say } = this.ports;
    say(`Job ${name} created.`);
    const ended = await new JobFollower(this.ports, name).run(signal);
    const texts: Readonly<Record<Ended, string>> = {
      complete: `Job ${name} made a backup.`,
      failed: `Job ${name} made no backup. Why is above, and in ConfigMap ${this.request.cluster}-status under backup.json.`,
      interrupted: `Job ${name} goes on. To look at it: kubectl -n ${namespace} logs -f job/${name}`,
    };
    say(texts[ended]);
    return { complete: EXIT.done, failed: EXIT.failed, interrupted: INTERRUPTED }[ended];
  }
}
