/**
 * The connection held to the leader's REST port. The death of the process ends it within milliseconds, at no cost
 * while all is well. A node without power ends nothing, so a short connection is tried now and then besides.
 */
import type { LinkState } from './model/facts.js';
import { pauseOf, type Routine } from './pace.js';
import type { Clock } from './ports/clock.js';
import type { HeldConnection, Network } from './ports/network.js';
import { PATRONI_PORT } from '../../src/contract/ports.js';

/**
 * Bounds how late a lost node is noticed; the standbys need about 3 s to lose their stream, so 1 s costs nothing. A
 * connection costs a third of a millisecond of CPU (measured), so forty a second are a good percent of a core.
 */
const HEARTBEAT: Routine = { everyMs: 1000, mostPerSecond: 40 };
/** Within a cluster a connection stands in a millisecond; a loaded node may need some hundred. */
const HEARTBEAT_TIMEOUT_MS = 600;

export class LeaderLink {
  private target: string | undefined;
  private connection: HeldConnection | undefined;
  private current: LinkState = 'none';

  constructor(
    private readonly ports: { readonly network: Network; readonly clock: Clock },
    private readonly clusters: () => number,
    private readonly broken: () => void,
  ) {}

  get state(): LinkState {
    return this.current;
  }

  /** Holds a connection to this address from now on. Called again with the same one it mends a broken link. */
  hold(ip: string | undefined): void {
    if (ip === this.target && this.current !== 'broken') return;
    this.connection?.close();
    this.target = ip;
    this.current = ip === undefined ? 'none' : 'held';
    this.connection = ip === undefined ? undefined : this.ports.network.hold(ip, PATRONI_PORT, () => this.lost(ip));
  }

  private lost(ip: string): void {
    if (ip !== this.target || this.current !== 'held') return;
    this.current = 'broken';
    this.broken();
  }

  async beat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { clock, network } = this.ports;
      await clock.sleep(pauseOf(HEARTBEAT, this.clusters()) * (0.9 + clock.random() * 0.2), signal);
      const ip = this.target;
      if (ip === undefined || this.current !== 'held' || signal.aborted) continue;
      if (await network.probe(ip, PATRONI_PORT, HEARTBEAT_TIMEOUT_MS) !== 'answers') this.lost(ip);
    }
    this.connection?.close();
  }
}
