/**
 * One backup: the lock, the member, pgBackRest in it, and what the repository shows afterwards. A CronJob runs it in a
 * Pod of its own, `kubectl everest` where a person sits.
 */
import { writeReport, repositoryStatus, type BackupReport } from './backup-report.js';
import { chooseMember } from './decide/backup-member.js';
import { judgeBackup, obstacle, type Verdict } from './decide/backup-verdict.js';
import { currentArchive } from './decide/recovery-window.js';
import { LeaderLease } from './lease.js';
import type { Log } from './log.js';
import type { FailureStatus, ScheduleResult } from './model/backup-status.js';
import { readContract } from './model/contract.js';
import { leaderFacts, podFacts } from './model/objects.js';
import { isReadable, labelIn, typeOption, type BackupType, type RepositoryFacts } from './model/pgbackrest.js';
import { listArchive, pgBackRest, readInfo, type Place } from './observe/repository.js';
import type { Clock } from './ports/clock.js';
import type { Exec, ExecEnd } from './ports/exec.js';
import { KubeError, type Kube } from './ports/kube.js';
import type { ContractSchedule } from '../../src/contract/document.js';
import { backupName, contractName, leaderName } from '../../src/contract/names.js';

export interface BackupOrder {
  readonly cluster: string;
  readonly schedule: string;
  readonly type: BackupType;
  readonly repository: number;
  readonly target: ContractSchedule['target'];
}

export interface BackupPorts {
  readonly kube: Kube;
  readonly exec: Exec;
  readonly clock: Clock;
  readonly log: Log;
  /** For people who read the Job's log. */
  readonly say: (text: string) => void;
}

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

/** A failover and the return of a member fit in. */
const PRIMARY_LIMIT_MS = 90_000;
/** Three times what a holder that died is waited for. */
const LOCK_LIMIT_MS = 60_000;
const LOOK_MS = 1_000;
/** The Job's own deadline is shorter. */
const BACKUP_LIMIT_MS = 7 * 24 * 3_600_000;
/** How often a member is asked whether a backup without a connection has ended. */
const LOST_LOOK_MS = 10_000;
const OUTPUT_LINES_KEPT = 200;

interface Made {
  readonly member: string | undefined;
  readonly note?: string | undefined;
  readonly verdict: Verdict;
  readonly after: RepositoryFacts | 'unknown';
}

interface Printed {
  readonly end: ExecEnd;
  readonly output: string;
  readonly label: string | undefined;
}

const failureOf = (kind: string, problem: string, fix: string): FailureStatus => ({ kind, problem, fix, detail: '' });

function notMade(failure: FailureStatus, member?: string, after: RepositoryFacts | 'unknown' = 'unknown'): Made {
  return { member, verdict: { done: false, backup: undefined, failure }, after };
}

export class BackupJob {
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
    const lease = new LeaderLease({ kube, clock, log }, names, () => undefined);
    const release = new AbortController();
    const renewing = lease.run(release.signal);
    try {
      return await this.underLock(lease, signal);
    } finally {
      release.abort();
      await renewing;
    }
  }

  /** What is wrong with the order, in the light of the contract. */
  private async refusal(): Promise<string | undefined> {
    const { cluster, repository } = this.order;
    try {
      const reading = readContract(await this.ports.kube.get('configmaps', contractName(cluster)));
      if (!reading.ok) return `the contract of ${cluster} cannot be read: ${reading.problem}.`;
      const { backup } = reading.document;
      if (!backup) return `cluster ${cluster} has no storage for backups. Give it one (backup.storage) and apply.`;
      const keys = backup.repositories.map(({ key }) => key);
      return keys.includes(repository) ? undefined : `repository ${repository} is not among those of ${cluster} (${keys.join(', ')}).`;
    } catch (problem) {
      if (problem instanceof KubeError && problem.notFound) return `ConfigMap ${contractName(cluster)} does not exist: there is no cluster ${cluster} in this namespace.`;
      throw problem;
    }
  }

  private async underLock(lease: LeaderLease, signal: AbortSignal): Promise<ExitCode> {
    const startedAt = this.ports.clock.wall();
    if (!await this.takes(lease, signal)) {
      const who = lease.rival ? `${lease.rival} is at work` : 'the lock could not be taken';
      const failure = failureOf('lock-held', `No backup was made: ${who}.`, `Backups of a cluster are made one at a time, under Lease ${backupName(this.order.cluster)}. Run it again when the other one has ended.`);
      await this.conclude(startedAt, notMade(failure));
      return EXIT.locked;
    }
    const made = await this.make(signal);
    await this.conclude(startedAt, made);
    return made.verdict.done ? EXIT.done : EXIT.failed;
  }

  private async takes(lease: LeaderLease, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.ports;
    const endMs = clock.nowMs() + LOCK_LIMIT_MS;
    while (!lease.held && !lease.rival && clock.nowMs() < endMs && !signal.aborted) await clock.sleep(LOOK_MS, signal);
    return lease.held;
  }

  private async make(signal: AbortSignal): Promise<Made> {
    const choice = await this.primary(signal);
    if (choice.pod === undefined) return notMade(failureOf('no-primary', `No backup was made: ${choice.why}.`, 'See phase and why in the status of the cluster. The Job tries again.'));
    const { pod, note } = choice;
    if (note) this.ports.say(`Note: ${note}.`);
    const place = { pod, repository: this.order.repository };
    const before = await readInfo(this.ports.exec, place);
    const hindrance = obstacle(before.facts, before.output);
    if (hindrance) return notMade(hindrance, pod, before.facts);
    return { ...await this.backUp(place, before.facts as RepositoryFacts, signal), member: pod, note };
  }

  /** Waits for one, since a failover may be under way. */
  private async primary(signal: AbortSignal): Promise<ReturnType<typeof chooseMember>> {
    const { clock } = this.ports;
    const endMs = clock.nowMs() + PRIMARY_LIMIT_MS;
    for (;;) {
      const choice = await this.look();
      if (choice.pod !== undefined || clock.nowMs() > endMs || signal.aborted) return choice;
      await clock.sleep(LOOK_MS, signal);
    }
  }

  private async look(): Promise<ReturnType<typeof chooseMember>> {
    const { kube } = this.ports;
    try {
      const leader = leaderFacts(await kube.get('configmaps', leaderName(this.order.cluster)));
      const pod = leader.pod === undefined ? undefined : podFacts(await kube.get('pods', leader.pod));
      return chooseMember({ leader, pod, wanted: this.order.target });
    } catch (problem) {
      if (!(problem instanceof KubeError)) throw problem;
      return { pod: undefined, why: `the primary is not known (${problem.message})` };
    }
  }

  private async backUp(place: Place, before: RepositoryFacts, signal: AbortSignal) {
    this.ports.say(`Backup (${this.order.type}) into repository ${place.repository}, in ${place.pod}.`);
    const { end, output, label } = await this.pgBackRest(place, signal);
    if (end.exitCode === undefined) await this.waitForEnd(place, end.why, signal);
    const { exec } = this.ports;
    const now = await this.look();
    const { facts: after } = await readInfo(exec, { ...place, pod: now.pod ?? place.pod });
    const moved = now.pod !== undefined && now.pod !== place.pod ? { movedTo: now.pod } : {};
    const { exitCode } = end;
    const wanted = this.order.type;
    return { verdict: judgeBackup({ wanted, exitCode, output, label, before, after, ...moved }), after };
  }

  private async pgBackRest(place: Place, signal: AbortSignal): Promise<Printed> {
    const lines: string[] = [];
    let label: string | undefined;
    const line = (text: string) => {
      this.ports.say(text);
      label ??= labelIn(text);
      lines.push(text);
      if (lines.length > OUTPUT_LINES_KEPT) lines.shift();
    };
    const type = `--type=${typeOption(this.order.type)}`;
    const command = pgBackRest(place, type, '--log-level-console=info', '--log-level-stderr=off', 'backup');
    const running = this.ports.exec.run(command, { line, limitMs: BACKUP_LIMIT_MS, signal });
    const end = await running.catch((problem: unknown): ExecEnd => {
      if (!(problem instanceof KubeError)) throw problem;
      return { exitCode: undefined, why: problem.message };
    });
    const why = end.exitCode === undefined ? [end.why] : [];
    return { end, label, output: [...lines, ...why].join('\n') };
  }

  /** Without a connection pgBackRest goes on; when it has ended, the repository tells how. */
  private async waitForEnd(place: Place, why: string, signal: AbortSignal): Promise<void> {
    this.ports.say(`The connection to pgBackRest was lost: ${why}. Asks whether it is still at work.`);
    while (!signal.aborted) {
      const { facts } = await readInfo(this.ports.exec, place);
      if (facts === 'unknown' || !facts.busy) return;
      await this.ports.clock.sleep(LOST_LOOK_MS, signal);
    }
  }

  private async conclude(startedAt: Date, made: Made): Promise<void> {
    const { kube, clock, say } = this.ports;
    const { cluster, schedule } = this.order;
    const result = this.result(startedAt, made);
    this.sayResult(made);
    const repository = await this.repository(made);
    const report: BackupReport = { schedule, result, ...(repository ? { repository } : {}) };
    await writeReport(kube, cluster, report, clock.wall())
      .catch((problem: unknown) => say(`The status could not be written: ${String(problem)}`));
  }

  private async repository({ member, after }: Made) {
    if (after === 'unknown' || member === undefined || !isReadable(after)) return undefined;
    const { exec, clock } = this.ports;
    const archive = currentArchive(after);
    const place = { pod: (await this.look()).pod ?? member, repository: this.order.repository };
    const listing = archive ? await listArchive(exec, place, archive.id) : 'unknown';
    return repositoryStatus(after, listing, clock.wall());
  }

  private sayResult({ verdict, member }: Made): void {
    const { say } = this.ports;
    if (verdict.done) return say(`Done: ${verdict.backup.label} (${verdict.backup.type}) of ${member}.${verdict.note ? ` Note: ${verdict.note}.` : ''}`);
    const { kind, problem, fix, detail } = verdict.failure;
    say([`Failed (${kind}): ${problem}`, `  Fix: ${fix}`, ...(detail ? [`  pgBackRest: ${detail}`] : [])].join('\n'));
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
