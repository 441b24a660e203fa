/**
 * One backup: the lock, the work of the engine, and the report. A CronJob runs it in a Pod of its own, `kubectl
 * everest` where a person sits.
 */
import { writeReport, type BackupReport } from './backup-report.js';
import { failureOf, notMade, type BackupOrder, type BackupPorts, type BackupWork, type Made } from './backup-work.js';
import { GaleraBackup } from './galera-backup.js';
import { LeaderLease } from './lease.js';
import { readBackupContract, type BackupContract } from './model/backup-contract.js';
import type { ScheduleResult } from './model/backup-status.js';
import { KubeError } from './ports/kube.js';
import { PostgresBackup } from './postgres-backup.js';
import { SnapshotBackup } from './snapshot-backup.js';
import { backupName, contractName } from '../../src/contract/names.js';

/** Exit codes. Only 0 means that there is a new backup, so that a Job's result is true. */
export const EXIT = {
  done: 0,
  /** It may go well when it is tried again. */
  failed: 1,
  /** The order or the contract is wrong: trying again is of no use. */
  refused: 2,
  /** Another Job of the cluster is at work (sysexits: EX_TEMPFAIL). */
  locked: 75,
} as const;

export type ExitCode = typeof EXIT[keyof typeof EXIT];

/** Three times what a holder that died is waited for. */
const LOCK_LIMIT_MS = 60_000;
const LOOK_MS = 1_000;

interface Signals {
  readonly signal: AbortSignal;
  /** Aborted when the lock has come. */
  readonly taken: AbortSignal;
}

function workOf(contract: BackupContract, ports: BackupPorts, order: BackupOrder): BackupWork {
  if (contract.engine !== 'postgresql') return new GaleraBackup(ports, order, contract);
  const { type } = order;
  return type === 'snapshot' ? new SnapshotBackup(ports, order, contract) : new PostgresBackup(ports, { ...order, type });
}

export class BackupJob {
  private work: BackupWork | undefined;

  constructor(
    private readonly ports: BackupPorts,
    private readonly order: BackupOrder,
    /** Of the holder of the lock. */
    private readonly identity: string,
  ) {}

  async run(signal: AbortSignal): Promise<ExitCode> {
    const refusal = await this.refusal();
    if (refusal !== undefined) {
      this.ports.say(`Refused: ${refusal}`);
      return EXIT.refused;
    }
    const { kube, clock, log } = this.ports;
    const names = { lease: backupName(this.order.cluster), identity: this.identity };
    const taken = new AbortController();
    const lease = new LeaderLease({ kube, clock, log }, names, () => taken.abort());
    const release = new AbortController();
    const renewing = lease.run(release.signal);
    try {
      return await this.underLock(lease, { signal, taken: taken.signal });
    } finally {
      release.abort();
      await renewing;
    }
  }

  /** What is wrong with the order, in the light of the contract. */
  private async refusal(): Promise<string | undefined> {
    const { cluster, repository } = this.order;
    try {
      const reading = readBackupContract(await this.ports.kube.get('configmaps', contractName(cluster)));
      if (!reading.ok) return `the contract of ${cluster} cannot be read: ${reading.problem}.`;
      const { backup } = reading.document;
      this.work = workOf(reading.document, this.ports, this.order);
      if (!backup) return `cluster ${cluster} has no storage for backups. Give it one (backup.storage) and apply.`;
      const keys = backup.repositories.map(({ key }) => key);
      return keys.includes(repository) ? undefined : `repository ${repository} is not among those of ${cluster} (${keys.join(', ')}).`;
    } catch (problem) {
      if (problem instanceof KubeError && problem.notFound) return `ConfigMap ${contractName(cluster)} does not exist: there is no cluster ${cluster} in this namespace.`;
      throw problem;
    }
  }

  private async underLock(lease: LeaderLease, { signal, taken }: Signals): Promise<ExitCode> {
    const startedAt = this.ports.clock.wall();
    if (!await this.takes(lease, AbortSignal.any([signal, taken]))) {
      const who = lease.rival ? `${lease.rival} is at work` : 'the lock could not be taken';
      const failure = failureOf('lock-held', `No backup was made: ${who}.`, `Backups of a cluster are made one at a time, under Lease ${backupName(this.order.cluster)}. Run it again when the other one has ended.`);
      await this.conclude(startedAt, notMade(failure));
      return EXIT.locked;
    }
    const made = await this.work!.make(signal);
    await this.conclude(startedAt, made);
    return made.verdict.done ? EXIT.done : EXIT.failed;
  }

  /** The signal ends a wait between two looks. */
  private async takes(lease: LeaderLease, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.ports;
    const endMs = clock.nowMs() + LOCK_LIMIT_MS;
    while (!lease.held && !lease.rival && clock.nowMs() < endMs && !signal.aborted) await clock.sleep(LOOK_MS, signal);
    return lease.held;
  }

  private async conclude(startedAt: Date, made: Made): Promise<void> {
    const { kube, clock, say } = this.ports;
    const { cluster, schedule } = this.order;
    const result = this.result(startedAt, made);
    this.sayResult(made);
    const repository = await made.repository();
    const { snapshots } = made;
    const report: BackupReport = {
      schedule, result, ...(repository ? { repository } : {}), ...(snapshots ? { snapshots } : {}),
    };
    await writeReport(kube, cluster, report, clock.wall())
      .catch((problem: unknown) => say(`The status could not be written: ${String(problem)}`));
  }

  private sayResult({ verdict, member }: Made): void {
    const { say } = this.ports;
    if (verdict.done) return say(`Done: ${verdict.backup.label} (${verdict.backup.type}) of ${member}.${verdict.note ? ` Note: ${verdict.note}.` : ''}`);
    const { kind, problem, fix, detail } = verdict.failure;
    say([`Failed (${kind}): ${problem}`, `  Fix: ${fix}`, ...(detail ? [`  In detail: ${detail}`] : [])].join('\n'));
  }

  private result(startedAt: Date, { member, note, verdict }: Made): ScheduleResult {
    const { type, repository } = this.order;
    const notes = [note, verdict.done ? verdict.note : undefined].filter((text) => text !== undefined).join('; ');
    return {
      type: verdict.backup?.type ?? type, repository,
      startedAt: startedAt.toISOString(), endedAt: this.ports.clock.wall().toISOString(),
      done: verdict.done,
      ...(member === undefined ? {} : { member }),
      ...(verdict.backup ? { label: verdict.backup.label } : {}),
      ...(notes ? { note: notes } : {}),
      ...(verdict.done ? {} : { failure: verdict.failure }),
    };
  }
}
