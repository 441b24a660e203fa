/**
 * The connection held to the leader's REST port. The death of the process ends it within milliseconds, at no cost
 * while all is well. A node without power ends nothing, so heartbeats watch it besides.
 */
import type { Endpoint, Heartbeats } from './heartbeats.js';
import type { LinkState } from './model/facts.js';
import type { Network } from './ports/network.js';
import { PATRONI_PORT } from '../../src/contract/ports.js';

export class LeaderLink {
  private target: string | undefined;
  private close: () => void = () => undefined;
  private current: LinkState = 'none';

  constructor(
    private readonly network: Network,
    private readonly heartbeats: Pick<Heartbeats, 'watch'>,
    private readonly broken: () => void,
  ) {}

  get state(): LinkState {
    return this.current;
  }

  /** Holds a connection to this address from now on. Called again with the same one it mends a broken link. */
  hold(address: Endpoint | undefined): void {
    if (address?.ip === this.target && this.current !== 'broken') return;
    this.close();
    this.target = address?.ip;
    this.current = address === undefined ? 'none' : 'held';
    this.close = address === undefined ? () => undefined : this.open(address);
  }

  /** Gives the way to close it. */
  private open(address: Endpoint): () => void {
    const lost = () => this.lost(address.ip);
    const connection = this.network.hold(address.ip, PATRONI_PORT, lost);
    const unwatch = this.heartbeats.watch(address, lost);
    return () => {
      connection.close();
      unwatch();
    };
  }

  private lost(ip: string): void {
    if (ip !== this.target || this.current !== 'held') return;
    this.current = 'broken';
    this.broken();
  }
}
