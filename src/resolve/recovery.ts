import { BackupEncryption } from '../backup-encryption';
import type { Bootstrap, RecoveryOptions } from '../bootstrap';
import { commonOptions, resolveRepository, type ResolvedPass, type ResolvedRepository } from './backup';
import type { RecoveryGoal, Replacement } from '../contract/document';
import { backupPassName } from '../contract/names';
import { RecoveryTarget } from '../recovery-target';

/** A recovery, decided. */
export interface ResolvedRecovery {
  /** It is only read. */
  readonly repository: ResolvedRepository;
  readonly goal: RecoveryGoal;
  readonly keepPasswords: boolean;
  readonly pauseAtTarget: boolean;
  /** Name of the VolumeSnapshot that the first member's volume is made of. */
  readonly snapshot?: string;
}

/** Date, time of the day, fraction of a second, zone. */
const TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?(Z|[+-]\d{2}:\d{2})$/i;
const FRACTION_DIGITS = 6;

/** As PostgreSQL and Python read it: `2026-03-01 12:00:00.250000+00:00`; undefined for what is no time with a zone. */
export function parseTime(text: string): string | undefined {
  const [, day, time, fraction = '', zone] = TIME.exec(text) ?? [];
  if (day === undefined || Number.isNaN(Date.parse(`${day}T${time}Z`))) return undefined;
  // Date.parse takes 30 February for 2 March.
  if (!new Date(`${day}T${time}Z`).toISOString().startsWith(day)) return undefined;
  return `${day} ${time}.${fraction.padEnd(FRACTION_DIGITS, '0')}${zone!.toUpperCase() === 'Z' ? '+00:00' : zone}`;
}

/** The members read the pass of the source, and never make one. */
function sourcePass({ from: { backupStorage, options } }: RecoveryOptions): ResolvedPass | undefined {
  const { mode, secretName, key } = commonOptions(backupStorage).encryption ?? BackupEncryption.generated();
  if (mode === BackupEncryption.unencrypted().mode) return undefined;
  return {
    secret: options.passSecretName ?? secretName ?? backupPassName(options.clusterName),
    key: options.passSecretKey ?? key ?? 'repository-1',
    generate: false,
  };
}

/** The repository of another cluster, as it stands in the bucket. */
export function sourceRepository(namespace: string, recovery: RecoveryOptions): ResolvedRepository {
  const { backupStorage: storage, options } = recovery.from;
  const place = { name: options.clusterName, namespace: options.namespace ?? namespace };
  return { ...resolveRepository(place, 1, { storage }), pass: sourcePass(recovery) };
}

function goalOf({ type, value, options }: RecoveryTarget): RecoveryGoal {
  const { exclusive = false, timeline, after } = options;
  return {
    type: type as RecoveryGoal['type'],
    value: type === 'time' ? parseTime(value)! : value,
    exclusive, timeline,
    after: after === undefined ? undefined : parseTime(after),
  };
}

/** Data that are set aside, or come back. */
export function resolveReplacement(bootstrap: Bootstrap | undefined): Replacement | undefined {
  const replacing = bootstrap?.recovery?.replacing;
  if (replacing !== undefined) return { name: replacing, putBack: false };
  return bootstrap?.replaced === undefined ? undefined : { name: bootstrap.replaced, putBack: true };
}

/** Where a cluster's first data come from; undefined: from nothing. */
export function resolveRecovery(namespace: string, bootstrap: Bootstrap | undefined): ResolvedRecovery | undefined {
  const recovery = bootstrap?.recovery;
  return recovery && {
    repository: sourceRepository(namespace, recovery),
    goal: goalOf(recovery.target ?? RecoveryTarget.latest()),
    keepPasswords: recovery.keepPasswords ?? recovery.replacing !== undefined,
    pauseAtTarget: recovery.pauseAtTarget ?? false,
    snapshot: recovery.snapshot,
  };
}
