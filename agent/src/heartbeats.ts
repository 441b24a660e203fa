/**
 * A node without power ends no connection, so short ones are tried besides those that are held. A lost node takes all
 * primaries on it along: each node is asked by one of them in turn, and when that one is silent, by all.
 */
import type { Clock } from './ports/clock.js';
import type { Network } from './ports/network.js';
import { PATRONI_PORT } from '../../src/contract/ports.js';

/** Within a cluster a connection stands in a millisecond; a loaded node may need some hundred. */
const TIMEOUT_MS = 600;
/** The standbys of a lost node need about 3 s to lose their stream, so that noticing it after 1 s costs nothing. */
const NODE_EVERY_S = 1;
/** Only the network of this one Pod can be what fails here. */
const PRIMARY_EVERY_S = 10;
/** A connection costs a third of a millisecond of CPU (measured), so forty a second are a good percent of a core. */
const MOST_PER_S = 40;

export interface Endpoint {
  readonly ip: string;
  /** Address of its node; unknown: it counts as a node of its own. */
  readonly hostIp: string | undefined;
}

interface Watched extends Endpoint {
  readonly silent: () => void;
}

const nodeOf = ({ ip, hostIp }: Endpoint): string => hostIp ?? ip;

export class Heartbeats {
  /** Whoever was asked last is the last one, of the nodes and of the primaries on each. */
  private readonly nodes = new Map<string, Set<Watched>>();

  constructor(private readonly ports: { readonly network: Network; readonly clock: Clock }) {}

  /** `silent` is called once at most. What is returned ends the watch. */
  watch(endpoint: Endpoint, silent: () => void): () => void {
    const watched = { ...endpoint, silent };
    const node = nodeOf(endpoint);
    this.nodes.set(node, (this.nodes.get(node) ?? new Set()).add(watched));
    return () => this.drop(watched);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.ports;
    while (!signal.aborted) {
      await clock.sleep(this.pauseMs() * (0.9 + clock.random() * 0.2), signal);
      if (!signal.aborted) void this.askNext();
    }
  }

  private pauseMs(): number {
    const primaries = [...this.nodes.values()].reduce((sum, { size }) => sum + size, 0);
    const perSecond = Math.max(this.nodes.size / NODE_EVERY_S, primaries / PRIMARY_EVERY_S, 1);
    return 1000 / Math.min(perSecond, MOST_PER_S);
  }

  private async askNext(): Promise<void> {
    const [next] = this.nodes;
    if (!next) return;
    const [node, primaries] = next;
    this.nodes.delete(node);
    this.nodes.set(node, primaries);
    const first = primaries.values().next().value!;
    primaries.delete(first);
    primaries.add(first);
    if (await this.isHeard(first)) return;
    await Promise.all([...primaries].map((each) => this.isHeard(each)));
  }

  private async isHeard(watched: Watched): Promise<boolean> {
    const heard = await this.ports.network.probe(watched.ip, PATRONI_PORT, TIMEOUT_MS) === 'answers';
    if (!heard && this.drop(watched)) watched.silent();
    return heard;
  }

  /** False: it was not watched any more. */
  private drop(watched: Watched): boolean {
    const node = nodeOf(watched);
    const primaries = this.nodes.get(node);
    const wasThere = primaries?.delete(watched) === true;
    if (primaries?.size === 0) this.nodes.delete(node);
    return wasThere;
  }
}
