import type { Bootstrap, RecoveryOptions } from '../bootstrap';
import { storageViolations } from './backup-valid';
import { DNS_LABEL, DNS_SUBDOMAIN } from './names';
import type { PostgresRule, PostgresRuleInput, Violation } from './rule';
import type { RecoverySource, RecoverySourceOptions } from '../recovery-source';
import type { RecoveryTarget } from '../recovery-target';
import { resolveRepository, type ResolvedRepository } from '../resolve/backup';
import { storagesOf } from '../resolve/postgres';
import { parseTime, sourceRepository } from '../resolve/recovery';

const TARGET = ['bootstrap', 'recovery', 'target'];
const SOURCE = ['bootstrap', 'recovery', 'from'];

/** PostgreSQL keeps names of restore points in 64 bytes; configuration files want no control characters. */
const RESTORE_POINT = /^[\x20-\x7e]{1,63}$/;
const MOST_TIMELINE = 2 ** 31;

interface TargetKind {
  readonly valid: (value: string) => boolean;
  readonly fix: string;
}

const KINDS: Readonly<Record<string, TargetKind>> = {
  latest: { valid: (value) => value === '', fix: 'Use RecoveryTarget.latest()' },
  time: {
    valid: (value) => parseTime(value) !== undefined,
    fix: 'Write ISO 8601 with a zone, such as 2026-03-01T12:00:00Z or 2026-03-01T13:00:00+01:00',
  },
  lsn: { valid: (value) => /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i.test(value), fix: 'Write it as pg_current_wal_lsn() does, such as 0/5000060' },
  xid: { valid: (value) => /^[1-9]\d{0,19}$/.test(value), fix: 'Write the number that pg_current_xact_id() shows' },
  name: { valid: (value) => RESTORE_POINT.test(value), fix: 'Write the name that was given to pg_create_restore_point(), 63 characters at the most' },
};

function valueViolations({ type, value }: RecoveryTarget): Violation[] {
  const kind = KINDS[type];
  if (!kind) return [{ path: TARGET, problem: `${JSON.stringify(type)} is no kind of target`, fix: 'Use one of the functions of RecoveryTarget' }];
  return kind.valid(value) ? [] : [{ path: TARGET, problem: `the target (${type}) is ${JSON.stringify(value)}`, fix: kind.fix }];
}

/** The hint where to begin. */
function afterViolations({ type, value, options: { after } }: RecoveryTarget): Violation[] {
  if (after === undefined) return [];
  const parsed = parseTime(after);
  if (parsed === undefined) return [{ path: TARGET, problem: `after is ${JSON.stringify(after)}`, fix: KINDS.time!.fix }];
  const target = type === 'time' ? parseTime(value) : undefined;
  return target === undefined || Date.parse(parsed) < Date.parse(target) ? []
    : [{ path: TARGET, problem: `after (${after}) is not before the target (${value})`, fix: 'Leave after out: a time needs none' }];
}

function timelineViolations({ options: { timeline } }: RecoveryTarget): Violation[] {
  if (timeline === undefined || (Number.isInteger(timeline) && timeline >= 1 && timeline < MOST_TIMELINE)) return [];
  return [{
    path: TARGET, problem: `the timeline is ${timeline}`, fix: 'Write a whole number from 1, or leave it out for the newest',
  }];
}

function skipViolations({ options: { skipTransactions } }: RecoveryTarget): Violation[] {
  return skipTransactions === undefined ? [] : [{
    path: TARGET, problem: 'skipTransactions is set, and PostgreSQL cannot leave a transaction out', fix: 'Recover to just before it (exclusive)',
  }];
}

/** At the end of the archive there is no target to stop at: PostgreSQL would promote. */
function pauseViolations({ pauseAtTarget, target }: RecoveryOptions): Violation[] {
  return !pauseAtTarget || (target && target.type !== 'latest') ? [] : [{
    path: ['bootstrap', 'recovery', 'pauseAtTarget'], problem: 'pauseAtTarget is set, and the target is the latest',
    consequence: 'The data would be promoted before anybody has looked at them', fix: 'Name a time, or leave pauseAtTarget out',
  }];
}

export const recoveryTargetValid: PostgresRule = {
  code: 'EV1809',
  title: 'A moment that says nothing',
  cause: 'The target of a recovery is no time with a zone, no place in the write-ahead log, no number of a transaction or no name of a restore point; or pauseAtTarget has none to stop at.',
  consequence: 'The cluster would be recovered to another moment than was meant, or to none',
  fix: 'Write, say, RecoveryTarget.time("2026-03-01T12:00:00Z")',
  check: ({ props: { bootstrap } }) => {
    const recovery = bootstrap?.recovery;
    const checks = [valueViolations, afterViolations, timelineViolations, skipViolations];
    const { target } = recovery ?? {};
    const ofTarget = target ? checks.flatMap((check) => check(target)) : [];
    return [...ofTarget, ...(recovery ? pauseViolations(recovery) : [])];
  },
};

/** The source, where the cluster itself would write to it. */
export function ownSource(
  { props: { backup }, clusterName, namespace }: PostgresRuleInput, from: RecoverySource,
): ResolvedRepository | undefined {
  if (!backup) return undefined;
  const source = sourceRepository(namespace, { from });
  const own = [backup, ...(backup.secondary ? [backup.secondary] : [])]
    .map((each, index) => resolveRepository({ name: clusterName, namespace }, index + 1, each));
  return own.some(({ identity }) => identity === source.identity) ? source : undefined;
}

function ownPath(input: PostgresRuleInput): Violation[] {
  const source = ownSource(input, input.props.bootstrap!.recovery!.from);
  return source ? [{
    path: SOURCE, problem: `the cluster would archive to ${source.url}, which it is recovered from`,
    fix: 'Give backup.storage another prefix; the old repository is then only read',
  }] : [];
}

/** Names of the cluster that made the backups, and of the Secret with its pass. */
export function sourceNames(
  { clusterName, namespace, passSecretName }: RecoverySourceOptions, path = SOURCE,
): Violation[] {
  const wrong = (name: string, value: string | undefined, pattern: RegExp): Violation[] => {
    if (value === undefined || pattern.test(value)) return [];
    return [{ path, problem: `${name} is ${JSON.stringify(value)}`, fix: 'Write the name as it was' }];
  };
  return [
    ...wrong('clusterName', clusterName, DNS_LABEL),
    ...wrong('namespace', namespace, DNS_LABEL),
    ...wrong('passSecretName', passSecretName, DNS_SUBDOMAIN),
  ];
}

/** What is wrong with a source, wherever it is named. */
export function sourceViolations(path: string[], { backupStorage, options }: RecoverySource): Violation[] {
  return [...storageViolations([...path, 'backupStorage'], backupStorage), ...sourceNames(options, path)];
}

function twoIdentities({ props }: PostgresRuleInput): Violation[] {
  const roles = new Set(storagesOf(props).flatMap(({ s3Options }) => s3Options?.access.roleArn ?? []));
  return roles.size < 2 ? [] : [{
    path: SOURCE, problem: 'the source and the storage for backups need two web identities, and a ServiceAccount has one',
    fix: 'Use a Secret for one of them',
  }];
}

/** A label of 30 characters at the most: it becomes a folder on each volume. */
export function nameViolations(path: string[], name: string | undefined): Violation[] {
  if (name === undefined || (DNS_LABEL.test(name) && name.length <= 30)) return [];
  return [{ path, problem: `the name of the restore is ${JSON.stringify(name)}`, fix: 'Use lower-case letters, digits and "-", 30 characters at the most' }];
}

/** Setting aside is a move within one volume. */
function walViolations(groups: PostgresRuleInput['groups'], bootstrap: Bootstrap | undefined): Violation[] {
  const inPlace = bootstrap?.recovery?.replacing ?? bootstrap?.replaced;
  if (inPlace === undefined || !groups.some(({ storage }) => storage.walSize !== undefined)) return [];
  return [{
    path: ['bootstrap'], problem: 'the write-ahead log has a volume of its own, which a restore in place does not set aside',
    consequence: 'The old data could not come back', fix: 'Recover into a cluster of another name',
  }];
}

export const restorePossible: PostgresRule = {
  code: 'EV1811',
  title: 'A restore in place that cannot be made',
  cause: 'replacing, or what putBack() is given, is no short DNS label, or the write-ahead log has a volume of its own.',
  consequence: 'Members could not tell whether it is done, or where the old data lie',
  fix: 'Write a name that was not used before, such as restore-2026-03-01',
  check: ({ props: { bootstrap }, groups }) => [
    ...nameViolations(['bootstrap', 'recovery', 'replacing'], bootstrap?.recovery?.replacing),
    ...nameViolations(['bootstrap', 'replaced'], bootstrap?.replaced),
    ...walViolations(groups, bootstrap),
  ],
};

const SNAPSHOT = ['bootstrap', 'recovery', 'snapshot'];

export const snapshotRecovery: PostgresRule = {
  code: 'EV1812',
  title: 'A recovery from a snapshot that cannot be made',
  cause: 'snapshot is no name of an object, stands beside replacing, or the cluster that it was made of is in another namespace.',
  consequence: 'The first member would have no volume: Kubernetes makes a claim of a snapshot once, when it is new, and in its own namespace only',
  fix: 'Name a VolumeSnapshot of the namespace, and recover into a cluster whose volumes do not exist yet',
  check: ({ namespace, props: { bootstrap } }) => {
    const recovery = bootstrap?.recovery;
    if (recovery?.snapshot === undefined) return [];
    const { snapshot, replacing, from: { options } } = recovery;
    return [
      ...(DNS_SUBDOMAIN.test(snapshot) ? [] : [{ path: SNAPSHOT, problem: `the snapshot is called ${JSON.stringify(snapshot)}`, fix: 'Write its name as the status, or kubectl get volumesnapshots, shows it' }]),
      ...(replacing === undefined ? [] : [{ path: SNAPSHOT, problem: 'snapshot stands beside replacing, and a restore in place keeps its volumes', fix: 'Leave one of them out' }]),
      ...(options.namespace === undefined || options.namespace === namespace ? [] : [{
        path: SNAPSHOT, problem: `the snapshot is of a cluster in ${options.namespace}, and the new one is in ${namespace}`, fix: 'Recover from a backup instead: leave snapshot out',
      }]),
    ];
  },
};

export const recoverySourceValid: PostgresRule = {
  code: 'EV1810',
  title: 'A recovery without a source',
  cause: 'The storage or the cluster that a recovery reads from cannot be, or is the one that the new cluster writes to.',
  consequence: 'Members would wait for ever, or two clusters would write into one archive and neither could be restored',
  fix: 'Name the storage as the old cluster had it, and give the new one another prefix',
  check: (input) => {
    const recovery = input.props.bootstrap?.recovery;
    if (!recovery) return [];
    const malformed = sourceViolations(SOURCE, recovery.from);
    return malformed.length > 0 ? malformed : [...ownPath(input), ...twoIdentities(input)];
  },
};
