import type { RecoveryOptions } from '../bootstrap';
import { RecoveryTarget } from '../recovery-target';
import type { ResolvedRepository } from './backup';
import { parseTime, sourceRepository } from './recovery';

/** Up to which transaction a Galera cluster is recovered, as galera_recovery.py reads it. */
export interface GaleraGoal {
  readonly kind: 'latest' | 'time' | 'gtid' | 'before';
  /** A time in whole seconds (`2026-03-01T12:00:00Z`), or a GTID. */
  readonly value: string;
  /** GTIDs of transactions that are left out. */
  readonly skip: string[];
}

/** A recovery of a Galera cluster, decided. */
export interface ResolvedGaleraRecovery {
  /** It is only read. */
  readonly repository: ResolvedRepository;
  readonly goal: GaleraGoal;
  readonly keepPasswords: boolean;
}

/** In UTC, without a fraction of a second; undefined for what is no time with a zone. */
export function wholeSeconds(text: string): string | undefined {
  const parsed = parseTime(text);
  return parsed === undefined ? undefined : `${new Date(parsed).toISOString().slice(0, 19)}Z`;
}

function goalOf({ type, value, options: { exclusive, skipTransactions = [] } }: RecoveryTarget): GaleraGoal {
  if (type === 'time') return { kind: 'time', value: wholeSeconds(value)!, skip: skipTransactions };
  if (type === 'xid') return { kind: exclusive ? 'before' : 'gtid', value, skip: skipTransactions };
  return { kind: 'latest', value: '', skip: skipTransactions };
}

/** What a cluster is recovered from; the options must have passed all rules. */
export function resolveGaleraRecovery(namespace: string, recovery: RecoveryOptions): ResolvedGaleraRecovery {
  return {
    repository: sourceRepository(namespace, recovery),
    goal: goalOf(recovery.target ?? RecoveryTarget.latest()),
    keepPasswords: recovery.keepPasswords ?? recovery.replacing !== undefined,
  };
}
