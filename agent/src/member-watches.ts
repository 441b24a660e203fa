/**
 * The streams on which the members of one Galera cluster tell their state at each change. The end of a server is told
 * at once, the end of a container ends the stream; both within milliseconds, at no cost while all is well.
 */
import { parseGaleraReport, type GaleraReport } from './model/galera/member.js';
import type { Clock } from './ports/clock.js';
import type { GaleraMembers } from './ports/galera-members.js';
import type { HeldConnection } from './ports/network.js';

/** A member gives a sign of life each 5 s; one that is late is silent. */
const HEARD_WITHIN_MS = 7_000;
/** Between two attempts: a member that comes back is heard soon, one that is gone costs little. */
const RETRY_MS = 150;

interface Watch {
  readonly ip: string;
  connection: HeldConnection | undefined;
  /** What was told last. */
  text: string;
  heardMs: number;
  triedMs: number;
}

export class MemberWatches {
  private readonly watches = new Map<string, Watch>();

  constructor(
    private readonly ports: { readonly members: Pick<GaleraMembers, 'watch'>; readonly clock: Clock },
    private readonly changed: () => void,
  ) {}

  /** Streams from these and from no others; those that have ended are tried again. */
  follow(addresses: ReadonlyArray<{ readonly member: string; readonly ip: string }>): void {
    for (const [member, { ip }] of this.watches) {
      if (!addresses.some((address) => address.member === member && address.ip === ip)) this.drop(member);
    }
    const now = this.ports.clock.nowMs();
    for (const { member, ip } of addresses) {
      const watch = this.watches.get(member);
      if (watch && this.isSilent(watch)) this.drop(member);
      if (!watch || (!watch.connection && now - watch.triedMs >= RETRY_MS)) this.open(member, ip);
    }
  }

  /** Undefined: nothing that would still hold. */
  report(member: string): GaleraReport | undefined {
    const watch = this.watches.get(member);
    if (!watch?.connection || watch.text === '' || this.isSilent(watch)) return undefined;
    return parseGaleraReport(member, watch.text, watch.heardMs);
  }

  close(): void {
    for (const member of [...this.watches.keys()]) this.drop(member);
  }

  private isSilent(watch: Watch): boolean {
    return watch.connection !== undefined && this.ports.clock.nowMs() - watch.heardMs > HEARD_WITHIN_MS;
  }

  private open(member: string, ip: string): void {
    const now = this.ports.clock.nowMs();
    const watch: Watch = { ip, connection: undefined, text: '', heardMs: now, triedMs: now };
    this.watches.set(member, watch);
    watch.connection = this.ports.members.watch(ip, {
      line: (text) => this.heard(watch, text),
      ended: () => this.lost(watch),
    });
  }

  private heard(watch: Watch, text: string): void {
    watch.heardMs = this.ports.clock.nowMs();
    if (text.trim() === '') return;
    watch.text = text;
    this.changed();
  }

  private lost(watch: Watch): void {
    const wasHeard = watch.text !== '';
    watch.connection = undefined;
    watch.text = '';
    // An attempt that fails is no news.
    if (wasHeard) this.changed();
  }

  private drop(member: string): void {
    this.watches.get(member)?.connection?.close();
    this.watches.delete(member);
  }
}
