/**
 * A VolumeSnapshot of a member as a backup: backup mode around it, its log in the archive, and then the words on it
 * that make it count. What did not get that far is removed, now or by the next run.
 */
import { lookForPrimary, untilPrimary } from './backup-primary.js';
import { repositoryStatus } from './backup-report.js';
import { failureOf, notMade, type BackupOrder, type BackupPorts, type BackupWork, type Made } from './backup-work.js';
import { obstacle } from './decide/backup-verdict.js';
import { currentArchive, isAbandoned, missingWal } from './decide/recovery-window.js';
import { explainSnapshot, isLasting, snapshotProblem, type SnapshotProblem } from './decide/snapshot-failure.js';
import { chooseSnapshotMember, type SnapshotMember } from './decide/snapshot-member.js';
import { byAge, tooMany } from './decide/snapshot-retention.js';
import type { FailureStatus, SnapshotRecord } from './model/backup-status.js';
import { podFacts } from './model/objects.js';
import { isReadable, type RepositoryFacts } from './model/pgbackrest.js';
import { snapshotManifest } from './model/snapshot-manifest.js';
import { isComplete, snapshotRecord, snapshotView, type SnapshotView } from './model/snapshots.js';
import type { ArchiveListing } from './model/wal.js';
import { BackupMode, type Held } from './observe/backup-mode.js';
import { archiveHas, listArchive, readInfo, switchWal, type Place } from './observe/repository.js';
import { KubeError } from './ports/kube.js';
import type { ContractDocument } from '../../src/contract/document.js';
import { LABEL } from '../../src/contract/labels.js';
import { SNAPSHOT_ANNOTATION, type SnapshotFacts } from '../../src/contract/snapshot.js';

/** Until the driver has cut the snapshot: backup mode costs little, and WAL is kept anyway. */
const TAKEN_LIMIT_MS = 15 * 60_000;
/** Longer than that, so that the answer comes through. */
const HOLD_LIMIT_MS = 20 * 60_000;
const ARCHIVE_LIMIT_MS = 15 * 60_000;
/** Some storages copy a snapshot to another place before it can be used. The Job's own deadline may be shorter. */
const READY_LIMIT_MS = 24 * 3_600_000;
const LOOK_MS = 500;
const SLOW_LOOK_MS = 2_000;
const WHOLE_LOOK_MS = 20_000;

/** The way ends here. */
class Problem extends Error {
  constructor(readonly failure: FailureStatus) {
    super(failure.problem);
  }
}

interface Course extends SnapshotMember {
  readonly primary: string;
  readonly archiveId: string;
  readonly signal: AbortSignal;
}

export class SnapshotBackup implements BackupWork {
  private readonly name: string;
  private repository: RepositoryFacts | undefined;
  private listing: ArchiveListing | 'unknown' = 'unknown';

  constructor(
    private readonly ports: BackupPorts,
    private readonly order: BackupOrder,
    private readonly contract: ContractDocument,
  ) {
    const at = ports.clock.wall().toISOString().replace(/[-:]|\.\d+/g, '');
    this.name = `${order.cluster}-${order.schedule}-${at.toLowerCase()}`;
  }

  async make(signal: AbortSignal): Promise<Made> {
    const choice = await untilPrimary(this.ports, { cluster: this.order.cluster, target: 'primary' }, signal);
    if (choice.pod === undefined) return notMade(failureOf('no-primary', `No snapshot was made: ${choice.why}.`, 'See phase and why in the status of the cluster. The Job tries again.'));
    const member = await this.member(choice.pod);
    try {
      await this.run({ ...member, primary: choice.pod, archiveId: await this.archiveId(choice.pod), signal });
      const snapshots = await this.keepNewest();
      return this.made(member, { done: true, backup: { label: this.name, type: 'snapshot' }, note: undefined }, snapshots);
    } catch (problem) {
      const failure = await this.fail(problem);
      const snapshots = await this.records().catch(() => undefined);
      return this.made(member, { done: false, backup: undefined, failure }, snapshots);
    }
  }

  private made({ pod, note }: SnapshotMember, verdict: Made['verdict'], snapshots: SnapshotRecord[] | undefined): Made {
    const repository = () => Promise.resolve(this.repository && isReadable(this.repository) && this.listing !== 'unknown'
      ? repositoryStatus(this.repository, this.listing, this.ports.clock.wall()) : undefined);
    return { member: pod, note, verdict, repository, ...(snapshots ? { snapshots: byAge(snapshots) } : {}) };
  }

  private async member(primary: string): Promise<SnapshotMember> {
    const { kube } = this.ports;
    const looks = this.contract.members.map(({ pod }) => kube.get('pods', pod).then(podFacts, () => undefined));
    const pods = await Promise.all(looks);
    const choice = chooseSnapshotMember(primary, pods.filter((pod) => pod !== undefined));
    if (choice.note) this.ports.say(`Note: ${choice.note}.`);
    return choice;
  }

  private async archiveId(primary: string): Promise<string> {
    const { facts, output } = await readInfo(this.ports.exec, { pod: primary, repository: this.order.repository });
    const hindrance = obstacle(facts, output);
    const archive = facts === 'unknown' ? undefined : currentArchive(facts);
    if (hindrance ?? !archive) throw new Problem(hindrance ?? failureOf('stanza-missing', 'Nothing is in the archive yet, so a snapshot could not count.', 'Wait until the first WAL file has arrived: archive.json in the status.'));
    this.repository = facts as RepositoryFacts;
    return archive!.id;
  }

  private async run(course: Course): Promise<void> {
    await this.removeIncomplete();
    const facts = await this.underBackupMode(course);
    await this.untilArchived(course, facts);
    await this.until('snapshot-not-ready', READY_LIMIT_MS, course.signal, ({ ready }) => ready);
    const annotations = { [SNAPSHOT_ANNOTATION]: JSON.stringify(facts) };
    await this.ports.snapshots.patch(this.name, { metadata: { annotations } });
  }

  /** Of runs that died: under the lock nobody else makes one of this schedule. */
  private async removeIncomplete(): Promise<void> {
    for (const view of await this.views()) {
      if (isComplete(view)) continue;
      this.ports.say(`Removes ${view.name}, which an earlier run did not bring to its end.`);
      await this.ports.snapshots.delete(view.name, view.uid);
    }
  }

  private async underBackupMode({ pod, signal }: Course): Promise<SnapshotFacts> {
    const { clock, exec, say, snapshots } = this.ports;
    say(`Snapshot ${this.name} of the volume of ${pod}.`);
    let held: Held;
    const mode = new BackupMode(exec, pod, this.name, { limitMs: HOLD_LIMIT_MS, signal });
    try {
      if (!await mode.begun) throw new Problem(explainSnapshot(mode.lost?.said ?? '', 'backup-mode-lost'));
      await snapshots.create(snapshotManifest(this.contract, this.order, { name: this.name, pod }));
      await this.until('snapshot-not-made', TAKEN_LIMIT_MS, signal, async ({ taken }) => {
        await mode.keep(clock.nowMs());
        return taken || mode.lost !== undefined;
      });
    } finally {
      held = await mode.release();
    }
    if (!held.facts) throw new Problem(explainSnapshot(held.said, 'backup-mode-lost'));
    return held.facts;
  }

  /** Looks at the snapshot until it is so. */
  private async until(otherwise: SnapshotProblem, limitMs: number, signal: AbortSignal,
    done: (view: SnapshotView) => boolean | Promise<boolean>): Promise<void> {
    const { clock, snapshots } = this.ports;
    const endMs = clock.nowMs() + limitMs;
    for (;;) {
      if (signal.aborted) throw new Problem(explainSnapshot('this process was asked to stop'));
      const view = snapshotView(await snapshots.get(this.name));
      if (await done(view)) return;
      const error = view.error ?? '';
      if (isLasting(error)) throw new Problem(explainSnapshot(error));
      if (clock.nowMs() > endMs) throw new Problem(explainSnapshot(error, otherwise));
      await clock.sleep(LOOK_MS, signal);
    }
  }

  /**
   * The rest of its log: a standby's last file is one that the primary may be writing to. The primary may fail
   * meanwhile; the next one sends what it had not.
   */
  private async untilArchived({ archiveId, primary, signal }: Course, facts: SnapshotFacts): Promise<void> {
    const { clock, exec, say } = this.ports;
    say(`The snapshot is made; waits until ${facts.stopWal} is in the archive.`);
    const endMs = clock.nowMs() + ARCHIVE_LIMIT_MS;
    let place: Place = { pod: primary, repository: this.order.repository };
    let wholeAtMs = clock.nowMs() + WHOLE_LOOK_MS;
    let switched: string | undefined;
    for (;;) {
      if (switched !== place.pod && await switchWal(exec, place)) switched = place.pod;
      const whole = clock.nowMs() >= wholeAtMs;
      if (whole) wholeAtMs = clock.nowMs() + WHOLE_LOOK_MS;
      if (await this.hasArrived(place, archiveId, facts, whole)) break;
      if (signal.aborted) throw new Problem(explainSnapshot('this process was asked to stop'));
      if (clock.nowMs() > endMs) throw new Problem(snapshotProblem('archive-timeout', `${facts.stopWal} is not there`));
      await clock.sleep(SLOW_LOOK_MS, signal);
      place = { ...place, pod: (await lookForPrimary(this.ports, this.order)).pod ?? place.pod };
    }
    const missing = this.missing(facts);
    if (missing !== undefined) throw new Problem(snapshotProblem('archive-timeout', `${missing} is not there`));
  }

  /**
   * The last file, under its own name: whole archives may be long. After a failover it may never come under that name,
   * since the new timeline goes on in its middle, so all of the archive is looked at now and then.
   */
  private async hasArrived(place: Place, archiveId: string, facts: SnapshotFacts, whole: boolean): Promise<boolean> {
    const { exec } = this.ports;
    const arrived = await archiveHas(exec, place, archiveId, facts.stopWal) === true;
    if (!arrived && !whole) return false;
    const listing = await listArchive(exec, place, archiveId);
    if (listing === 'unknown' || listing.history === 'unknown') return false;
    this.listing = listing;
    if (isAbandoned(listing, facts)) throw new Problem(snapshotProblem('timeline-abandoned', `it is of timeline ${facts.stopWal.slice(0, 8)} up to ${facts.stopLsn}`));
    return arrived || this.missing(facts) === undefined;
  }

  private missing(facts: SnapshotFacts): string | undefined {
    return this.listing === 'unknown' ? undefined : missingWal(this.listing, facts);
  }

  private async views(): Promise<SnapshotView[]> {
    const { cluster, schedule } = this.order;
    const found = await this.ports.snapshots.list(`${LABEL.cluster}=${cluster},${LABEL.schedule}=${schedule}`);
    return found.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(snapshotView);
  }

  private async records(): Promise<SnapshotRecord[]> {
    return (await this.views()).filter(isComplete).map((view) => snapshotRecord(view, this.uselessness(view.facts)));
  }

  /** Why no server could begin with a snapshot that counted once. */
  private uselessness(facts: SnapshotFacts): string | undefined {
    if (this.listing !== 'unknown' && isAbandoned(this.listing, facts)) return 'it holds what a failover has left behind';
    const missing = this.missing(facts);
    return missing && `${missing} of its log is not in the archive; the retention of full backups removes what is older than them`;
  }

  /** Only where the archive could be looked at: without it nobody knows which ones are good. */
  private async keepNewest(): Promise<SnapshotRecord[]> {
    const records = await this.records();
    const surplus = this.listing === 'unknown' ? [] : tooMany(records, this.order.snapshot!.keep);
    const uids = new Map((await this.views()).map(({ name, uid }) => [name, uid]));
    for (const { name } of surplus) {
      this.ports.say(`Removes ${name}: ${this.order.snapshot!.keep} are kept.`);
      await this.ports.snapshots.delete(name, uids.get(name) ?? '');
    }
    return records.filter((record) => !surplus.includes(record));
  }

  /** What is not a backup does not stay. */
  private async fail(problem: unknown): Promise<FailureStatus> {
    if (!(problem instanceof Problem || problem instanceof KubeError)) throw problem;
    const gone = problem instanceof KubeError && problem.notFound && problem.objectName === this.name;
    const told = gone ? snapshotProblem('snapshot-gone') : explainSnapshot(problem.message);
    const failure = problem instanceof Problem ? problem.failure : told;
    try {
      const view = snapshotView(await this.ports.snapshots.get(this.name));
      if (!isComplete(view)) await this.ports.snapshots.delete(view.name, view.uid);
    } catch (left) {
      if (!(left instanceof KubeError)) throw left;
    }
    return failure;
  }
}
