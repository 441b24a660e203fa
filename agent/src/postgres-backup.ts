/** A backup of a PostgreSQL cluster: pgBackRest in the primary, and what the repository shows afterwards. */
import { lookForPrimary, successorOf, untilPrimary, untilSucceeded, type Primary } from './backup-primary.js';
import { readRepository } from './backup-report.js';
import { failureOf, notMade, type BackupPorts, type BackupWork, type Made, type RepositoryOrder } from './backup-work.js';
import { explainFailure } from './decide/backup-failure.js';
import { backupOfAnother, judgeBackup, obstacle, type Verdict } from './decide/backup-verdict.js';
import { labelIn, typeOption, type RepositoryFacts } from './model/pgbackrest.js';
import { pgBackRest, readInfo, type InfoReading } from './observe/repository.js';
import type { ExecEnd } from './ports/exec.js';
import { KubeError } from './ports/kube.js';

/** The Job's own deadline is shorter. */
const BACKUP_LIMIT_MS = 7 * 24 * 3_600_000;
/** How often a member is asked whether a backup without a connection has ended. */
const LOST_LOOK_MS = 10_000;
/** pgBackRest notices itself that its primary is gone, and says so. On a lost node it says nothing more. */
const LAST_WORDS_MS = 10_000;
const OUTPUT_LINES_KEPT = 200;

interface Printed {
  readonly end: ExecEnd;
  readonly output: string;
  readonly label: string | undefined;
}

function stopped(output: string): Verdict {
  return { done: false, backup: undefined, failure: explainFailure(undefined, output) };
}

export class PostgresBackup implements BackupWork {
  constructor(
    private readonly ports: BackupPorts,
    private readonly order: RepositoryOrder,
  ) {}

  async make(signal: AbortSignal): Promise<Made> {
    const choice = await untilPrimary(this.ports, this.order, signal);
    if (choice.pod === undefined) return notMade(failureOf('no-primary', `No backup was made: ${choice.why}.`, 'See phase and why in the status of the cluster. The Job tries again.'));
    const { pod, note } = choice;
    if (note) this.ports.say(`Note: ${note}.`);
    const { before, made } = await this.turn(choice, signal);
    const hindrance = obstacle(before.facts, before.output);
    if (hindrance) return notMade(hindrance, pod, () => this.repository(pod, before.facts));
    const facts = before.facts as RepositoryFacts;
    const { verdict, after } = made ? { verdict: made, after: facts } : await this.backUp(choice, facts, signal);
    return { verdict, member: pod, note, repository: () => this.repository(pod, after) };
  }

  /**
   * Somebody else may be at work in the member: a person, the member itself, or pgBackRest of a Job that was lost with
   * its node. It is waited for, and what it made counts when it is what was asked for.
   */
  private async turn(primary: Primary, signal: AbortSignal): Promise<{ before: InfoReading; made?: Verdict }> {
    const first = await this.info(primary);
    if (first.facts === 'unknown' || !first.facts.busy) return { before: first };
    this.ports.say(`pgBackRest is at work in ${primary.pod} already. Waits for its end.`);
    await this.untilIdle(primary, signal);
    const now = await this.info(primary);
    const backup = now.facts === 'unknown' ? undefined : backupOfAnother(this.order.type, first.facts, now.facts);
    if (!backup) return { before: now };
    const note = `pgBackRest was at work in ${primary.pod} already, and the backup that it made counts`;
    return { before: now, made: { done: true, backup, note } };
  }

  private async backUp(primary: Primary, before: RepositoryFacts, signal: AbortSignal) {
    const { exec } = this.ports;
    this.ports.say(`Backup (${this.order.type}) into repository ${this.order.repository}, in ${primary.pod}.`);
    const { end, output, label } = await this.pgBackRest(primary, signal);
    // There is hardly time to say so.
    if (signal.aborted) return { verdict: stopped(output), after: 'unknown' as const };
    if (end.exitCode === undefined) {
      this.ports.say(`The connection to pgBackRest was lost: ${end.why}. Asks whether it is still at work.`);
      await this.untilIdle(primary, signal);
    }
    const now = await lookForPrimary(this.ports, this.order);
    const { facts: after } = await readInfo(exec, this.place(now.pod ?? primary.pod));
    const successor = successorOf(primary, now);
    const moved = successor === undefined ? {} : { movedTo: successor };
    const { exitCode } = end;
    const wanted = this.order.type;
    return { verdict: judgeBackup({ wanted, exitCode, output, label, before, after, ...moved }), after };
  }

  private place(pod: string) {
    return { pod, repository: this.order.repository };
  }

  private info({ pod }: Primary): Promise<InfoReading> {
    return readInfo(this.ports.exec, this.place(pod));
  }

  private async pgBackRest(primary: Primary, signal: AbortSignal): Promise<Printed> {
    const lines: string[] = [];
    let label: string | undefined;
    const line = (text: string) => {
      this.ports.say(text);
      label ??= labelIn(text);
      lines.push(text);
      if (lines.length > OUTPUT_LINES_KEPT) lines.shift();
    };
    const type = `--type=${typeOption(this.order.type)}`;
    const command = pgBackRest(this.place(primary.pod), type, '--log-level-console=info', '--log-level-stderr=off', 'backup');
    const end = await this.whileItLeads(primary, signal, (given) => (
      this.ports.exec.run(command, { line, limitMs: BACKUP_LIMIT_MS, signal: given })
    ));
    const why = end.exitCode === undefined ? [end.why] : [];
    return { end, label, output: [...lines, ...why].join('\n') };
  }

  /** A lost node ends no connection: the API server waits for it for minutes. */
  private async whileItLeads(
    primary: Primary, signal: AbortSignal, run: (given: AbortSignal) => Promise<ExecEnd>,
  ): Promise<ExecEnd> {
    const { clock } = this.ports;
    const [ended, lost] = [new AbortController(), new AbortController()];
    const watching = untilSucceeded(this.ports, this.order, primary, ended.signal).then(async (successor) => {
      if (successor !== undefined) await clock.sleep(LAST_WORDS_MS, ended.signal);
      if (!ended.signal.aborted) lost.abort();
      return successor;
    });
    const end = await run(AbortSignal.any([signal, lost.signal])).catch((problem: unknown): ExecEnd => {
      if (!(problem instanceof KubeError)) throw problem;
      return { exitCode: undefined, why: problem.message };
    }).finally(() => ended.abort());
    const successor = await watching;
    return lost.signal.aborted ? { exitCode: undefined, why: `${successor} leads now` } : end;
  }

  /** Without a connection pgBackRest goes on; when it has ended, or another member leads, the repository tells how. */
  private async untilIdle(primary: Primary, signal: AbortSignal): Promise<void> {
    const { clock } = this.ports;
    while (!signal.aborted && successorOf(primary, await lookForPrimary(this.ports, this.order)) === undefined) {
      const { facts } = await this.info(primary);
      if (facts === 'unknown' || !facts.busy) return;
      await clock.sleep(LOST_LOOK_MS, signal);
    }
  }

  private async repository(member: string, after: RepositoryFacts | 'unknown') {
    const { exec, clock } = this.ports;
    if (after === 'unknown') return undefined;
    const { pod = member } = await lookForPrimary(this.ports, this.order);
    return readRepository(exec, this.place(pod), after, clock);
  }
}
