import { BackupType, type BackupScheduleOptions } from '../backup-schedule-options';
import { cronProblem } from './cron';
import { limitViolations } from './limits-above-requests';
import { DNS_LABEL, DNS_SUBDOMAIN } from './names';
import { amountViolations } from './quantity-valid';
import type { PostgresRule, Rule, Violation } from './rule';
import { ON_DEMAND } from '../contract/backup';
import { resolveSchedule } from '../resolve/backup';

/** What rules about one schedule look at. */
export interface ScheduleRuleInput {
  readonly clusterName: string;
  readonly options: BackupScheduleOptions;
  /** Value of `ClusterIdentity.engine`. */
  readonly engine: string;
  /** Number of repositories; none: the cluster has no backups. */
  readonly repositories: number;
}

type ScheduleRule = Rule<ScheduleRuleInput>;

const POSTGRESQL = 'postgresql';

/** A Job's name is its CronJob's and eleven characters. */
const LONGEST_NAME = 52;
const LEAST_DEADLINE_S = 60;
/** Kubernetes keeps it in 64 bits; more than a month would only hide a backup that hangs. */
const MOST_DEADLINE_S = 31 * 24 * 3600;

/** What is wrong with five fields of cron. */
export function cronViolations(cron: string): Violation[] {
  const problem = cronProblem(cron);
  return problem === undefined ? [] : [{ path: ['cron'], problem: `${JSON.stringify(cron)}: ${problem}` }];
}

export const scheduleCron: ScheduleRule = {
  code: 'EV1801',
  title: 'A schedule that does not parse',
  cause: 'cron is not five fields (minute, hour, day of the month, month, day of the week), a field is out of its range, or no day fits.',
  consequence: 'Kubernetes would refuse the CronJob, or its Jobs would never run',
  fix: 'Write, say, 0 2 * * * for every day at 02:00, or 30 1 * * 0 for Sundays at 01:30',
  check: ({ options: { cron } }) => cronViolations(cron),
};

/** The zone's own spelling, or undefined where there is none. Kubernetes tells capital letters apart, Intl does not. */
function zoneName(zone: string): string | undefined {
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions();
    return timeZone.toLowerCase() === zone.toLowerCase() ? timeZone : zone;
  } catch {
    return undefined;
  }
}

/** Names, not offsets such as `+02:00`. */
const ZONE = /^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/;

/** What is wrong with the name of a time zone. */
export function zoneViolations(timeZone: string | undefined): Violation[] {
  if (timeZone === undefined) return [];
  const name = zoneName(timeZone);
  if (name === timeZone && ZONE.test(timeZone)) return [];
  const meant = name !== undefined && name !== timeZone ? `; did you mean ${name}?` : '';
  return [{ path: ['timeZone'], problem: `there is no time zone ${JSON.stringify(timeZone)}${meant}` }];
}

export const scheduleTimeZone: ScheduleRule = {
  code: 'EV1802',
  title: 'A time zone that does not exist',
  cause: 'timeZone is no name of the IANA time zone database, or is written with other capital letters.',
  consequence: 'Kubernetes would refuse the CronJob',
  fix: 'Write a name such as Europe/Berlin, or leave it out for Etc/UTC',
  check: ({ options: { timeZone } }) => zoneViolations(timeZone),
};

/** What is wrong with the name of something that is a CronJob of that name. */
export function cronJobNameViolations(name: string, objectName: string): Violation[] {
  if (DNS_LABEL.test(name) && objectName.length <= LONGEST_NAME) return [];
  return [{
    path: ['name'], problem: `the name ${JSON.stringify(name)} is no DNS label, or ${objectName} is longer than ${LONGEST_NAME} characters`,
    consequence: 'Kubernetes would refuse the CronJob or its Jobs', fix: 'Use a short name of lower-case letters, digits and "-"',
  }];
}

function ofReserved(name: string): Violation[] {
  if (name !== ON_DEMAND) return [];
  return [{
    path: ['name'], problem: `no schedule may be called ${ON_DEMAND}: backups that a person asks for are reported under it`,
    consequence: 'Nobody could tell the two apart', fix: 'Use another name',
  }];
}

function ofStorage({ repositories, options }: ScheduleRuleInput): Violation[] {
  if (repositories === 0) return [{ path: [], problem: 'the cluster has no backup storage' }];
  return options.toSecondary && repositories < 2 ? [{ path: ['toSecondary'], problem: 'there is no second repository' }] : [];
}

/** The binary log covers the time between two full backups of MariaDB. */
function ofType({ engine, options: { type } }: ScheduleRuleInput): Violation[] {
  return engine === POSTGRESQL || type === undefined || type.type === BackupType.full().type ? []
    : [{ path: ['type'], problem: `a backup of type ${type.type} is asked for, and ${engine} has full ones`, fix: 'Use BackupType.full()' }];
}

const MOST_SNAPSHOTS = 1000;

function ofSnapshot({ options: { type, toSecondary } }: ScheduleRuleInput): Violation[] {
  if (!type?.snapshot) return [];
  const { className, keep = 1 } = type.snapshot;
  return [
    ...(toSecondary ? [{
      path: ['toSecondary'], problem: 'a VolumeSnapshot is asked for in the second repository, and it lies in none',
      consequence: 'It would be somewhere else than you believe', fix: 'Leave toSecondary out: the write-ahead log goes to both repositories in any case',
    }] : []),
    ...(Number.isInteger(keep) && keep >= 1 && keep <= MOST_SNAPSHOTS ? [] : [{
      path: ['type', 'keep'], problem: `${keep} snapshots are to be kept`, consequence: 'There would be none to recover from, or their number would never end',
      fix: `Use a whole number from 1 to ${MOST_SNAPSHOTS}`,
    }]),
    ...(className === undefined || DNS_SUBDOMAIN.test(className) ? [] : [{
      path: ['type', 'className'], problem: `the VolumeSnapshotClass is called ${JSON.stringify(className)}`, consequence: 'Kubernetes would refuse every snapshot',
      fix: 'Write its name as kubectl get volumesnapshotclasses shows it',
    }]),
  ];
}

/** What is wrong with the time that a Job may take. */
export function deadlineViolations(seconds: number): Violation[] {
  if (Number.isInteger(seconds) && seconds >= LEAST_DEADLINE_S && seconds <= MOST_DEADLINE_S) return [];
  return [{
    path: ['deadline'], problem: `the deadline is ${seconds} s`, consequence: 'Every Job would be ended too early, or none that hangs',
    fix: 'Use whole seconds from a minute to 31 days',
  }];
}

export const schedulePossible: ScheduleRule = {
  code: 'EV1806',
  title: 'A backup that cannot be made',
  cause: 'A schedule has no storage or names a repository that is not there, two schedules share a name, or its name (which may not be on-demand), deadline or resources are malformed; or VolumeSnapshots are to lie in a repository, in none or in a class that cannot be.',
  consequence: 'No backup would be made',
  fix: 'Give the cluster a backup storage (backup), and each schedule a name of its own',
  check: (input) => [
    ...ofStorage(input),
    ...cronJobNameViolations(input.options.name, resolveSchedule(input.clusterName, input.options).objectName),
    ...ofReserved(input.options.name),
    ...deadlineViolations(resolveSchedule('', input.options).deadlineSeconds),
    ...ofType(input),
    ...ofSnapshot(input),
    ...amountViolations(['resources'], input.options.resources),
    ...limitViolations(['resources'], input.options.resources),
  ],
};

export const SCHEDULE_RULES: readonly ScheduleRule[] = [scheduleCron, scheduleTimeZone, schedulePossible];

function twice(schedules: readonly BackupScheduleOptions[]): Violation[] {
  return schedules.flatMap(({ name }, index) => (schedules.findIndex((each) => each.name === name) === index ? []
    : [{ path: ['backup', 'schedules', index, 'name'], problem: `a second schedule is called ${JSON.stringify(name)}` }]));
}

/** The same rules for the schedules that stand in the props. */
export const SCHEDULES_OF_PROPS: readonly PostgresRule[] = SCHEDULE_RULES.map((rule) => ({
  ...rule,
  check: ({ clusterName, props: { backup } }) => {
    const schedules = backup?.schedules ?? [];
    const repositories = backup?.secondary ? 2 : 1;
    return [
      ...schedules.flatMap((options, index) => rule.check({ clusterName, options, repositories, engine: POSTGRESQL })
        .map((found) => ({ ...found, path: ['backup', 'schedules', index, ...found.path] }))),
      ...(rule === schedulePossible ? twice(schedules) : []),
    ];
  },
}));
