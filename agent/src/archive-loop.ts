/**
 * Whether WAL reaches the archive, looked at by SQL on the replica that holds the Lease. At rest that is one short
 * session with the primary; the API is asked only to write down what has changed.
 */
import { ArchiveLoss } from './archive-loss.js';
import { judgeArchive, unknownArchive, type ArchiveView } from './decide/archive-health.js';
import { ARCHIVE_LOST, withLoss } from './decide/archive-loss.js';
import { lookAgainMs } from './decide/log-room.js';
import { clockNews, clockOffset, clockStatus } from './decide/primary-clock.js';
import type { Hands } from './execute/executor.js';
import { LogGuard } from './log-guard.js';
import type { Log } from './log.js';
import { NOTHING_REMEMBERED, type ArchiveMemory, type ArchiveSample } from './model/archive.js';
import { ARCHIVE_KEY, readArchiveStatus, type ArchiveStatus } from './model/backup-status.js';
import type { ContractReading } from './model/contract.js';
import type { DecisionRecord } from './model/status.js';
import { askArchive, sendFirst } from './observe/archive.js';
import { primaryOf, type Primary } from './observe/primary.js';
import type { Store } from './observe/store.js';
import { KubeError, type KubeObject } from './ports/kube.js';
import { Rounds } from './rounds.js';
import type { StatusWriter } from './status-writer.js';
import { REPOSITORIES_ANNOTATION } from '../../src/contract/labels.js';
import { statusName } from '../../src/contract/names.js';

const LOOK_EVERY_MS = 30_000;
/** A new cluster is waited for: it counts as healthy when its first file has arrived. */
const FIRST_EVERY_MS = 3_000;
/** How old numbers in the status may get while the state stays the same. */
const WRITE_EVERY_MS = 60_000;
const IDLE_WRITE_EVERY_MS = 600_000;

export interface ArchiveLoopOptions {
  readonly stores: { readonly pods: Store; readonly dcs: Store; readonly requests: Store };
  readonly hands: Hands;
  readonly reading: () => ContractReading;
  readonly writer: Pick<StatusWriter, 'section'>;
  readonly holdsLease: () => boolean;
  readonly log: Log;
  readonly told: (record: DecisionRecord) => void;
  readonly lacks: (problem: KubeError) => void;
}

interface Written {
  readonly at: number;
  readonly status: ArchiveStatus;
}

const newsOf = ({ state, failure, firstArchivedAt, lost }: ArchiveStatus) => (
  JSON.stringify([state, failure?.kind, firstArchivedAt, lost?.at])
);
/** What people want to know at once; all else may wait for the next round. */
const essence = (status: ArchiveStatus) => {
  const { clock, writesStopped, readOnlyMembers } = status;
  return JSON.stringify([newsOf(status), clock !== undefined, writesStopped !== undefined, readOnlyMembers]);
};
const numbers = ({ checkedAt: _, ...rest }: ArchiveStatus) => JSON.stringify(rest);

/** Under which name it is told. */
function ruleOf(failure: ArchiveStatus['failure']): string {
  if (!failure) return 'archive-works';
  return failure.kind === ARCHIVE_LOST ? ARCHIVE_LOST : 'archive-fails';
}

function goodNews(before: ArchiveStatus | undefined): string {
  if (before?.lost) return `There is a full backup in ${before.lost.storage} again, and what comes after it can be recovered.`;
  const isFirst = before?.firstArchivedAt === undefined;
  return isFirst ? 'The first WAL file has arrived in the archive.' : 'WAL reaches the archive again.';
}

export class ArchiveLoop {
  /** Undefined: another replica may have looked last, so what is written in the status counts. */
  private memory: ArchiveMemory | undefined;
  private written: Written | undefined;
  private told: ArchiveStatus | undefined;
  private readonly rounds: Rounds;
  private readonly loss: ArchiveLoss;
  private readonly guard: LogGuard;
  private notes: string | undefined;

  constructor(private readonly options: ArchiveLoopOptions) {
    this.rounds = new Rounds(options.hands.clock);
    this.loss = new ArchiveLoss(options.stores, options.hands);
    this.guard = new LogGuard(options.hands);
  }

  nudge(): void {
    this.rounds.nudge();
  }

  /** One of Patroni's ConfigMaps: what members note of their repositories there is looked at soon. */
  noted({ metadata: { annotations = {} } }: KubeObject): void {
    const notes = annotations[REPOSITORIES_ANNOTATION];
    if (notes === undefined || notes === this.notes) return;
    this.notes = notes;
    this.nudge();
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.rounds.run(signal, () => this.tick().catch((problem: unknown) => this.failed(problem)));
  }

  private async tick(): Promise<number> {
    const reading = this.options.reading();
    const holds = reading.ok && this.options.holdsLease();
    if (!holds || !reading.document.backup) {
      this.memory = undefined;
      this.written = undefined;
      if (holds) await this.withoutBackup(reading.document.cluster);
      return LOOK_EVERY_MS;
    }
    const { cluster } = reading.document;
    // What was known before must be known, or a cluster would seem new.
    if (!this.memory && !this.options.stores.requests.current) return FIRST_EVERY_MS;
    this.recall(cluster);
    const { status, memory } = await this.look(cluster);
    this.memory = memory;
    const primary = primaryOf(this.options.stores, cluster);
    const lost = await this.loss.look(reading.document, primary, this.written?.status.lost);
    await this.write(withLoss(status, lost));
    return memory.firstArchivedAt === undefined ? FIRST_EVERY_MS : lookAgainMs(status);
  }

  /** Taken out of the manifest while writes were stopped: nothing waits any more. */
  private async withoutBackup(cluster: string): Promise<void> {
    const status = readArchiveStatus(this.options.stores.requests.get(statusName(cluster)));
    if (!status?.readOnlyMembers) return;
    const { writesStopped: _, readOnlyMembers, ...rest } = status;
    this.written = { at: -Infinity, status };
    await this.write({ ...rest, ...await this.guard.allowAll(cluster, readOnlyMembers) });
  }

  private recall(cluster: string): void {
    if (this.memory) return;
    const status = readArchiveStatus(this.options.stores.requests.get(statusName(cluster)));
    const ms = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text));
    const remembered = { firstArchivedAt: ms(status?.firstArchivedAt), since: ms(status?.since), state: status?.state };
    this.memory = { ...NOTHING_REMEMBERED, ...remembered };
    this.written = status && { at: -Infinity, status };
    this.told = status;
  }

  private async look(cluster: string): Promise<ArchiveView> {
    const { hands, stores, log } = this.options;
    const primary = primaryOf(stores, cluster);
    const memory = this.memory!;
    try {
      const from = this.wall();
      const sample = primary && await askArchive(hands.sql, primary.ip);
      if (!sample) return this.unknown();
      const clock = clockStatus(primary.name, clockOffset(sample.serverNow, { from, to: this.wall() }));
      const judged = judgeArchive(sample, memory);
      const view = { ...judged, status: { ...judged.status, ...(clock ? { clock } : {}) } };
      const isFirst = view.memory.firstArchivedAt === undefined && sample.configured && sample.waitingFiles === 0;
      if (isFirst && view.status.state === 'waiting') await sendFirst(hands.sql, primary.ip);
      return { ...view, status: await this.guarded(cluster, primary, { sample, status: view.status }) };
    } catch (problem) {
      if (problem instanceof KubeError) throw problem;
      log.warn('the archive cannot be looked at', { problem: String(problem) });
      return this.unknown();
    }
  }

  private async guarded(cluster: string, primary: Primary,
    { sample, status }: { readonly sample: ArchiveSample; readonly status: ArchiveStatus }): Promise<ArchiveStatus> {
    const { writesStopped, readOnlyMembers } = this.written?.status ?? {};
    const before = { ...(writesStopped ? { writesStopped } : {}), ...(readOnlyMembers ? { readOnlyMembers } : {}) };
    const announce = (guarded: Partial<ArchiveStatus>) => (
      this.write(withLoss({ ...status, ...guarded }, this.written?.status.lost))
    );
    return { ...status, ...await this.guard.look(cluster, { primary, sample, before, announce }) };
  }

  private unknown(): ArchiveView {
    return unknownArchive(this.written?.status, this.memory!, this.wall());
  }

  private wall(): number {
    return this.options.hands.clock.wall().getTime();
  }

  private async write(status: ArchiveStatus): Promise<void> {
    const now = this.options.hands.clock.nowMs();
    const isNews = !this.written || essence(this.written.status) !== essence(status);
    if (!isNews && now - this.written!.at < this.pauseAfter(status)) return;
    await this.options.writer.section(ARCHIVE_KEY, `${JSON.stringify(status, undefined, 2)}\n`);
    this.tell(status);
    this.tellClock(status);
    this.tellWrites(status);
    this.written = { at: now, status };
  }

  private pauseAfter(status: ArchiveStatus): number {
    return numbers(this.written!.status) === numbers(status) ? IDLE_WRITE_EVERY_MS : WRITE_EVERY_MS;
  }

  /** That nobody could be asked is told by the state of the cluster itself, and that a new one waits by its health. */
  private tell(status: ArchiveStatus): void {
    const { state, failure } = status;
    if (state === 'unknown' || (state === 'waiting' && !failure)) return;
    if (this.told && newsOf(this.told) === newsOf(status)) return;
    const because = failure ? `${failure.problem} ${failure.fix}` : goodNews(this.told);
    const detail = failure?.detail ? { detail: failure.detail } : {};
    const ruleId = ruleOf(failure);
    this.told = status;
    this.say({ ruleId, because, done: !failure, ...detail });
  }

  private tellClock(status: ArchiveStatus): void {
    const news = clockNews(this.written?.status, status);
    if (news) this.say(news);
  }

  private tellWrites({ writesStopped: now }: ArchiveStatus): void {
    const before = this.written?.status.writesStopped;
    if (now && !before) this.say({ ruleId: 'writes-stopped', because: `${now.problem} ${now.fix}`, done: false });
    if (before && !now) this.say({ ruleId: 'writes-allowed', because: 'There is room on the volume of the log: the primary takes writes again.', done: true });
  }

  private say({ because, ...rest }: Omit<DecisionRecord, 'at'>): void {
    this.options.log.info(because, rest);
    this.options.told({ at: new Date(this.wall()).toISOString(), because, ...rest });
  }

  private failed(problem: unknown): number {
    if (problem instanceof KubeError && problem.forbidden) this.options.lacks(problem);
    else this.options.log.error('archive loop', { problem: String((problem as Error).stack ?? problem) });
    return LOOK_EVERY_MS;
  }
}
