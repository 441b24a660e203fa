/** A backup of a Galera cluster: the script in a member that does not take the writes, and what the archive shows. */
import { failureOf, notMade, type BackupOrder, type BackupPorts, type BackupWork, type Made, type Outcome } from './backup-work.js';
import { choosePlace, explainScript, galeraRepository, type PlaceChoice } from './decide/galera/backup.js';
import { BACKUPS_LISTED } from './model/backup-status.js';
import {
  parseArchive, parseBackup, parsePlace, type ArchiveFacts, type GaleraBackupFacts, type PlaceFacts,
} from './model/galera/archive.js';
import { KubeError } from './ports/kube.js';
import { GALERA_CONTAINER, type GaleraContract } from '../../src/contract/galera.js';

/** The return of a member fits in. */
const PLACE_LIMIT_MS = 90_000;
const LOOK_MS = 2_000;
const ASK_LIMIT_MS = 300_000;
/** The Job's own deadline is shorter. */
const BACKUP_LIMIT_MS = 7 * 24 * 3_600_000;
const SCRIPT = '/etc/everest/galera_backup.py';

interface Ran {
  readonly exitCode: number | undefined;
  readonly lines: string[];
  readonly output: string;
}

export class GaleraBackup implements BackupWork {
  constructor(
    private readonly ports: BackupPorts,
    private readonly order: BackupOrder,
    private readonly contract: GaleraContract,
  ) {}

  async make(signal: AbortSignal): Promise<Made> {
    const choice = await this.place(signal);
    if (choice.pod === undefined) return notMade(failureOf('no-member', `No backup was made: ${choice.why}.`, 'See phase and why in the status of the cluster. The Job tries again.'));
    const { pod, note } = choice;
    if (note) this.ports.say(`Note: ${note}.`);
    this.ports.say(`Backup (full) in ${pod}.`);
    const ran = await this.run(pod, ['backup', this.order.schedule], BACKUP_LIMIT_MS, { signal, say: true });
    const archive = await this.archive(pod);
    const made = ran.exitCode === 0 ? parseBackup(ran.lines.at(-1)) : undefined;
    const repository = () => Promise.resolve(archive && this.status(archive));
    return { member: pod, note, verdict: this.judge(ran, made, archive), repository };
  }

  private status(archive: ArchiveFacts) {
    return galeraRepository(archive, this.ports.clock.wall(), BACKUPS_LISTED);
  }

  /** The script's word is not enough: the archive has to list the backup. */
  private judge(ran: Ran, made: GaleraBackupFacts | undefined, archive: ArchiveFacts | undefined): Outcome {
    const failed = (kind: string, problem: string, fix: string): Outcome =>
      ({ done: false, backup: undefined, failure: { kind, problem, fix, detail: ran.output.slice(-500) } });
    if (!made) {
      const { kind, problem, fix } = explainScript(ran.output);
      return failed(kind, problem, fix);
    }
    if (!archive) return failed('unverified', 'The archive could not be read after the backup, so nobody knows whether it is there.', 'It does not count. Run it again when the storage answers.');
    const listed = archive.backups.some(({ label }) => label === made.label);
    return listed ? { done: true, backup: { label: made.label, type: 'full' }, note: undefined }
      : failed('not-in-repository', `Backup ${made.label} is not listed in the archive.`, 'Do not rely on it. Look at the bucket: does something remove what is written there?');
  }

  /** Waits for a member that is in step, since a change of the group may be under way. */
  private async place(signal: AbortSignal): Promise<PlaceChoice> {
    const { clock } = this.ports;
    const endMs = clock.nowMs() + PLACE_LIMIT_MS;
    for (;;) {
      const choice = choosePlace(await this.places());
      if (choice.pod !== undefined || clock.nowMs() > endMs || signal.aborted) return choice;
      await clock.sleep(LOOK_MS, signal);
    }
  }

  private async places(): Promise<PlaceFacts[]> {
    const asked = await Promise.all(this.contract.members.map(async ({ pod }) => {
      const { exitCode, lines } = await this.run(pod, ['place'], ASK_LIMIT_MS);
      return exitCode === 0 ? parsePlace(pod, lines.at(-1)) : undefined;
    }));
    return asked.filter((place) => place !== undefined);
  }

  private async archive(pod: string): Promise<ArchiveFacts | undefined> {
    const { exitCode, lines } = await this.run(pod, ['info'], ASK_LIMIT_MS);
    return exitCode === 0 ? parseArchive(lines.at(-1)) : undefined;
  }

  private async run(pod: string, args: readonly string[], limitMs: number,
    { signal, say = false }: { readonly signal?: AbortSignal; readonly say?: boolean } = {}): Promise<Ran> {
    const lines: string[] = [];
    const errors: string[] = [];
    const line = (text: string, stream: 'out' | 'err') => {
      if (say) this.ports.say(text);
      (stream === 'out' ? lines : errors).push(text);
    };
    const call = { pod, container: GALERA_CONTAINER[this.contract.engine], command: ['python3', SCRIPT, ...args] };
    try {
      const end = await this.ports.exec.run(call, { line, limitMs, ...(signal ? { signal } : {}) });
      const why = end.exitCode === undefined ? [end.why] : [];
      return { exitCode: end.exitCode, lines, output: [...lines, ...errors, ...why].join('\n') };
    } catch (problem) {
      if (!(problem instanceof KubeError)) throw problem;
      return { exitCode: undefined, lines, output: problem.message };
    }
  }
}
