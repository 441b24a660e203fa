import { limitViolations } from './limits-above-requests';
import { DNS_LABEL, DNS_SUBDOMAIN } from './names';
import { amountViolations, quantityViolations } from './quantity-valid';
import type { PostgresRule, Rule, Violation } from './rule';
import { cronJobNameViolations, cronViolations, deadlineViolations, scheduleCron, scheduleTimeZone, zoneViolations } from './schedule-valid';
import { DEFAULT_DRILL, drillNames } from '../resolve/drill';
import type { DrillCheck, RestoreDrillOptions } from '../restore-drill-options';

/** What rules about one drill look at. */
export interface DrillRuleInput {
  readonly clusterName: string;
  readonly options: RestoreDrillOptions;
  /** Number of repositories; none: the cluster has no backups. */
  readonly repositories: number;
  /** Where a repository is stands in a Secret, which a drill does not read. */
  readonly described: boolean;
}

type DrillRule = Rule<DrillRuleInput>;

function ofStorage({ repositories, described, options }: DrillRuleInput): Violation[] {
  if (described) return [{ path: [], problem: 'only a Secret says where the storage is', fix: 'Describe it: BackupStorage.s3(), or a BackupStorage document' }];
  if (repositories === 0) return [{ path: [], problem: 'the cluster has no backup storage, so there is nothing to restore', fix: 'Give the cluster a backup storage (backup)' }];
  return options.fromSecondary && repositories < 2 ? [{ path: ['fromSecondary'], problem: 'there is no second repository', fix: 'Leave fromSecondary out, or add backup.secondary' }] : [];
}

function ofName({ clusterName, options }: DrillRuleInput): Violation[] {
  const { objectName } = drillNames(clusterName, options);
  if (options.name === DEFAULT_DRILL) {
    return [{ path: ['name'], problem: `no drill may be called ${DEFAULT_DRILL}: the one without a name is`, fix: 'Leave name out, or use another one' }];
  }
  return cronJobNameViolations(options.name ?? DEFAULT_DRILL, objectName);
}

function ofVolume({ options: { storageSize, storageClassName } }: DrillRuleInput): Violation[] {
  const named = storageClassName === undefined || DNS_SUBDOMAIN.test(storageClassName);
  return [
    ...quantityViolations(['storageSize'], storageSize),
    ...(named ? [] : [{ path: ['storageClassName'], problem: `${JSON.stringify(storageClassName)} is no name of a StorageClass`, fix: 'Use the name that kubectl get storageclass shows' }]),
  ];
}

function ofAccess({ options: { access } }: DrillRuleInput): Violation[] {
  return access === undefined || access.secretName !== undefined ? [] : [{
    path: ['access'], problem: 'a drill takes keys of its own from a Secret only', fix: 'Use StorageAccess.secret() with keys that may only read, or leave access out',
  }];
}

export const drillPossible: DrillRule = {
  code: 'EV1821',
  title: 'A restore drill that cannot be run',
  cause: 'A drill has no storage or one that only a Secret describes, names a repository that is not there, two drills share a name, or its name, volume, access, deadline or resources are malformed.',
  consequence: 'Nobody would know whether backups can be restored',
  fix: 'Correct the value that the message names',
  check: (input) => [
    ...ofStorage(input),
    ...ofName(input),
    ...ofVolume(input),
    ...ofAccess(input),
    ...deadlineViolations(drillNames('', input.options).deadlineSeconds),
    ...amountViolations(['resources'], input.options.resources),
    ...limitViolations(['resources'], input.options.resources),
  ],
};

function ofCheck(checks: readonly DrillCheck[], index: number): Violation[] {
  const { name, sql, database } = checks[index]!;
  const path = ['checks', index];
  const violations: Violation[] = [];
  if (!DNS_LABEL.test(name)) violations.push({ path: [...path, 'name'], problem: `the name ${JSON.stringify(name)} is not of lower-case letters, digits and "-"` });
  if (checks.findIndex((each) => each.name === name) !== index) violations.push({ path: [...path, 'name'], problem: `a second check is called ${JSON.stringify(name)}` });
  if (sql.replace(/--.*$/gm, '').replace(/[\s;]/g, '') === '') violations.push({ path: [...path, 'sql'], problem: `sql is ${JSON.stringify(sql)}: it asks nothing` });
  if (database === '') violations.push({ path: [...path, 'database'], problem: 'database is empty' });
  return violations;
}

export const drillChecks: DrillRule = {
  code: 'EV1822',
  title: 'A check that asks nothing',
  cause: 'The SQL of a check is empty, a check names no database, or two checks of a drill share a name.',
  consequence: 'The drill would fail each time, or nobody could tell which check failed',
  fix: 'Write a query that gives one row with one column that is true, such as SELECT count(*) > 0 FROM orders',
  check: ({ options: { checks = [] } }) => checks.flatMap((_, index) => ofCheck(checks, index)),
};

export const DRILL_RULES: readonly DrillRule[] = [
  { ...scheduleCron, check: ({ options: { cron } }) => cronViolations(cron) },
  { ...scheduleTimeZone, check: ({ options: { timeZone } }) => zoneViolations(timeZone) },
  drillPossible, drillChecks,
];

function twice(drills: readonly RestoreDrillOptions[]): Violation[] {
  return drills.flatMap(({ name }, index) => (drills.findIndex((each) => each.name === name) === index ? []
    : [{ path: ['backup', 'drills', index, 'name'], problem: `a second drill ${name === undefined ? 'has no name' : `is called ${JSON.stringify(name)}`}`, fix: 'Give each drill a name of its own' }]));
}

/** The same rules for the drills that stand in the props. */
export const DRILLS_OF_PROPS: readonly PostgresRule[] = DRILL_RULES.map((rule) => ({
  ...rule,
  check: ({ clusterName, props: { backup } }) => {
    const drills = backup?.drills ?? [];
    const repositories = backup?.secondary ? 2 : 1;
    const described = [backup, backup?.secondary].some((each) => each?.storage.secretOptions !== undefined);
    return [
      ...drills.flatMap((options, index) => rule.check({ clusterName, options, repositories, described })
        .map((found) => ({ ...found, path: ['backup', 'drills', index, ...found.path] }))),
      ...(rule === drillPossible ? twice(drills) : []),
    ];
  },
}));
