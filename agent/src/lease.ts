/**
 * One of the agent's replicas does the planned work: the one that holds the Lease. Expiry is measured on the own clock
 * from the moment at which a record was first seen, so that clocks need not agree.
 */
import type { Log } from './log.js';
import type { Clock } from './ports/clock.js';
import { KubeError, type Kube, type KubeObject } from './ports/kube.js';

/** A new holder 15 s after a crash is soon enough for planned work; a clean stop hands over at once. */
const DURATION_MS = 15_000;
/** Three tries before it runs out. */
const RENEW_MS = 4_000;

interface LeaseSpec {
  readonly holderIdentity?: string | null;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export interface LeasePorts {
  readonly kube: Kube;
  readonly clock: Clock;
  readonly log: Log;
}

const specOf = (lease: KubeObject) => ((lease as { spec?: LeaseSpec }).spec ?? {});

export class LeaderLease {
  private heldUntilMs = -Infinity;
  private seen: { version: string; holder: string | undefined; atMs: number } | undefined;
  private alive: string | undefined;
  /** As it was when this replica wrote it last: a holder need not read what only it writes. */
  private own: KubeObject | undefined;

  constructor(
    private readonly ports: LeasePorts,
    private readonly names: { readonly lease: string; readonly identity: string },
    private readonly changed: (held: boolean) => void,
  ) {}

  /** True only for as long as nobody else can have taken it. */
  get held(): boolean {
    return this.ports.clock.nowMs() < this.heldUntilMs;
  }

  /** Somebody else who was seen to renew it, and therefore lives. */
  get rival(): string | undefined {
    return this.held ? undefined : this.alive;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const before = this.held;
      await this.round().catch((problem: unknown) => this.ports.log.warn('lease', { problem: String(problem) }));
      if (this.held !== before) this.changed(this.held);
      await this.ports.clock.sleep(RENEW_MS * (0.9 + this.ports.clock.random() * 0.2), signal);
    }
    await this.release().catch(() => undefined);
  }

  private async round(): Promise<void> {
    const startedAt = this.ports.clock.nowMs();
    const lease = this.own ?? await this.read();
    this.own = undefined;
    const { holderIdentity: holder } = specOf(lease);
    if (holder !== this.names.identity && !this.hasRunOut(lease)) return;
    const transitions = (specOf(lease).leaseTransitions ?? 0) + (holder === this.names.identity ? 0 : 1);
    this.own = await this.ports.kube.patch('leases', this.names.lease, {
      metadata: { resourceVersion: lease.metadata.resourceVersion },
      spec: { ...this.spec(), leaseTransitions: transitions },
    });
    this.heldUntilMs = startedAt + DURATION_MS;
  }

  private async read(): Promise<KubeObject> {
    try {
      return await this.ports.kube.get('leases', this.names.lease);
    } catch (problem) {
      if (!(problem instanceof KubeError && problem.notFound)) throw problem;
      return this.ports.kube.create('leases', {
        apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: this.names.lease }, spec: {},
      });
    }
  }

  private hasRunOut(lease: KubeObject): boolean {
    const { holderIdentity: holder, renewTime } = specOf(lease);
    if (!holder || !renewTime) return true;
    const version = lease.metadata.resourceVersion ?? '';
    if (this.seen?.version !== version) {
      if (this.seen?.holder === holder) this.alive = holder;
      this.seen = { version, holder, atMs: this.ports.clock.nowMs() };
    }
    return this.ports.clock.nowMs() - this.seen.atMs > DURATION_MS;
  }

  private spec(): object {
    const renewTime = this.ports.clock.wall().toISOString().replace('Z', '000Z');
    return { holderIdentity: this.names.identity, renewTime, leaseDurationSeconds: DURATION_MS / 1000 };
  }

  private async release(): Promise<void> {
    if (!this.held) return;
    this.heldUntilMs = -Infinity;
    const lease = await this.ports.kube.get('leases', this.names.lease);
    if (specOf(lease).holderIdentity !== this.names.identity) return;
    await this.ports.kube.patch('leases', this.names.lease, {
      metadata: { resourceVersion: lease.metadata.resourceVersion }, spec: { holderIdentity: null },
    });
  }
}
