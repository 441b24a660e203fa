/** Keeps the log that waits for the archive from filling the primary's volume: writes stop before, and go on after. */
import { explainStop, judgeWrites } from './decide/log-room.js';
import type { Hands } from './execute/executor.js';
import { allowWrites, makeRoom, stopWrites } from './execute/stop-writes.js';
import type { ArchiveSample } from './model/archive.js';
import type { ArchiveStatus } from './model/backup-status.js';
import { podFacts } from './model/objects.js';
import type { Primary } from './observe/primary.js';

type Guarded = Pick<ArchiveStatus, 'writesStopped' | 'readOnlyMembers'>;
type Announce = (guarded: Guarded) => Promise<void>;

export interface Guarding {
  readonly primary: Primary;
  readonly sample: ArchiveSample;
  readonly before: Guarded;
  /** Writes the status before anything is done, so that whoever goes on after a crash knows whose doing it is. */
  readonly announce: Announce;
}

export class LogGuard {
  constructor(private readonly hands: Pick<Hands, 'sql' | 'clock' | 'log' | 'pods'>) {}

  /** What the status is to say. */
  async look(cluster: string, guarding: Guarding): Promise<Guarded> {
    const { primary, sample, before } = guarding;
    const { readOnlyMembers = [] } = before;
    const areStopped = sample.isReadOnly && readOnlyMembers.includes(primary.name);
    switch (judgeWrites(sample, areStopped)) {
      case 'stop': return this.stop(guarding);
      case 'allow': return this.allow(cluster, primary, readOnlyMembers);
      default: return areStopped ? before : this.allowAll(cluster, readOnlyMembers);
    }
  }

  /** Those that cannot be asked now are asked at the next look: one of them may lead some day. */
  async allowAll(cluster: string, readOnlyMembers: readonly string[]): Promise<Guarded> {
    if (readOnlyMembers.length === 0) return {};
    const ask = async (name: string) => (await this.allowed(cluster, name) ? [] : [name]);
    const left = (await Promise.all(readOnlyMembers.map(ask))).flat();
    return left.length === 0 ? {} : { readOnlyMembers: left };
  }

  private async stop({ primary, sample, before: { readOnlyMembers = [] }, announce }: Guarding): Promise<Guarded> {
    const guarded = {
      writesStopped: explainStop(primary.name, this.hands.clock.wall(), sample),
      readOnlyMembers: [...new Set([...readOnlyMembers, primary.name])],
    };
    await announce(guarded);
    await stopWrites(this.hands.sql, primary.ip);
    return guarded;
  }

  private async allow(cluster: string, primary: Primary, readOnlyMembers: readonly string[]): Promise<Guarded> {
    await makeRoom(this.hands.sql, primary.ip);
    return this.allowAll(cluster, readOnlyMembers);
  }

  private async allowed(cluster: string, name: string): Promise<boolean> {
    const pod = this.hands.pods(cluster).find(({ metadata }) => metadata.name === name);
    const ip = pod && podFacts(pod).ip;
    if (!ip) return false;
    return allowWrites(this.hands.sql, ip).then(() => true, (problem: unknown) => {
      this.hands.log.info('a member cannot be told to allow writes yet', { member: name, problem: String(problem) });
      return false;
    });
  }
}
