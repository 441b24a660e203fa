/** A backup of a PostgreSQL cluster: pgBackRest in the primary, and what the repository shows afterwards. */
import { lookForPrimary, untilPrimary } from './backup-primary.js';
import { repositoryStatus } from './backup-report.js';
import { failureOf, notMade, type BackupPorts, type BackupWork, type Made, type RepositoryOrder } from './backup-work.js';
import { judgeBackup, obstacle } from './decide/backup-verdict.js';
import { currentArchive } from './decide/recovery-window.js';
import { isReadable, labelIn, typeOption, type RepositoryFacts } from './model/pgbackrest.js';
import { listArchive, pgBackRest, readInfo, type Place } from './observe/repository.js';
import type { ExecEnd } from './ports/exec.js';
import { KubeError } from './ports/kube.js';

/** The Job's own deadline is shorter. */
const BACKUP_LIMIT_MS = 7 * 24 * 3_600_000;
/** How often a member is asked whether a backup without a connection has ended. */
const LOST_LOOK_MS = 10_000;
const OUTPUT_LINES_KEPT = 200;

interface Printed {
  readonly end: ExecEnd;
  readonly output: string;
  readonly label: string | undefined;
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
    const place = { pod, repository: this.order.repository };
    const before = await readInfo(this.ports.exec, place);
    const hindrance = obstacle(before.facts, before.output);
    if (hindrance) return notMade(hindrance, pod, () => this.repository(pod, before.facts));
    const { verdict, after } = await this.backUp(place, before.facts as RepositoryFacts, signal);
    return { verdict, member: pod, note, repository: () => this.repository(pod, after) };
  }

  private async backUp(place: Place, before: RepositoryFacts, signal: AbortSignal) {
    this.ports.say(`Backup (${this.order.type}) into repository ${place.repository}, in ${place.pod}.`);
    const { end, output, label } = await this.pgBackRest(place, signal);
    if (end.exitCode === undefined) await this.waitForEnd(place, end.why, signal);
    const { exec } = this.ports;
    const now = await lookForPrimary(this.ports, this.order);
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

  private async repository(member: string, after: RepositoryFacts | 'unknown') {
    if (after === 'unknown' || !isReadable(after)) return undefined;
    const { exec, clock } = this.ports;
    const archive = currentArchive(after);
    const { pod = member } = await lookForPrimary(this.ports, this.order);
    const place = { pod, repository: this.order.repository };
    const listing = archive ? await listArchive(exec, place, archive.id) : 'unknown';
    return repositoryStatus(after, listing, clock.wall());
  }
}
