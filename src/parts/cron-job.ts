import type { Manifest } from './manifest';

/** A CronJob that could not start in time (the control plane was away) still does within an hour. */
const LATEST_START_SECONDS = 3600;

/** A Pod that is taken away (its node drained or lost) does not count as a failure. */
export const RETRIED_ELSEWHERE = {
  rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
};

/** What differs between the Jobs of this library. */
export interface CronJobParts {
  readonly metadata: Manifest['metadata'];
  readonly schedule: {
    readonly cron: string; readonly timeZone: string; readonly suspended: boolean; readonly deadlineSeconds: number;
  };
  readonly podLabels: Record<string, string>;
  readonly podSpec: Record<string, unknown>;
  /** Fields of the Job beside its deadline. */
  readonly job: Record<string, unknown>;
}

/** A CronJob whose Jobs never overlap. */
export function cronJob({ metadata, schedule, podLabels, podSpec, job }: CronJobParts): Manifest {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata,
    spec: {
      schedule: schedule.cron,
      timeZone: schedule.timeZone,
      suspend: schedule.suspended,
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: LATEST_START_SECONDS,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        metadata: { labels: podLabels },
        spec: {
          ...job,
          activeDeadlineSeconds: schedule.deadlineSeconds,
          template: { metadata: { labels: podLabels }, spec: podSpec },
        },
      },
    },
  };
}
