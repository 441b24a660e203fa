/**
 * Writes `<cluster>-status` and Events. Only what changed is written; a right that is missing is remembered and named.
 */
import type { Log } from './log.js';
import { parseJson } from './model/objects.js';
import type { OperationsMemory } from './model/operations.js';
import { MEMORY_KEY, STATUS_KEY, type ClusterStatus, type DecisionRecord } from './model/status.js';
import type { Clock } from './ports/clock.js';
import { KubeError, type Kube, type KubeObject } from './ports/kube.js';
import { LABEL } from '../../src/contract/labels.js';
import { contractName, statusName } from '../../src/contract/names.js';

/** A lag that wanders is no news; a status is written again for it every ten minutes at the most. */
const QUIET_MS = 600_000;
/** The same Event, over and over, would fill etcd while something waits. */
const EVENT_AGAIN_MS = 300_000;

export interface StatusPorts {
  readonly kube: Kube;
  readonly clock: Clock;
  readonly log: Log;
}

export interface EventText {
  readonly reason: string;
  readonly message: string;
  readonly warning: boolean;
}


/** What all engines' documents have. */
type AnyStatus = Pick<ClusterStatus, 'statusVersion' | 'decisions'> & { readonly members: readonly object[] };

/** Lags and positions move all the time. */
function withoutLag(status: AnyStatus): string {
  const members = status.members.map((member) => ({ ...member, lagBytes: undefined, position: undefined }));
  return JSON.stringify({ ...status, members });
}

/** `process-gone` -> `ProcessGone`: what Events call a reason. */
export function reasonOf(ruleId: string): string {
  return ruleId.split('-').map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

export class StatusWriter {
  private written = '';
  private writtenAtMs = -Infinity;
  private lastText = '';
  private readonly events = new Map<string, number>();

  constructor(private readonly ports: StatusPorts, private readonly cluster: string) {}

  /** What the last leader of the agent remembered, and its decisions. */
  async recall(): Promise<{ memory: OperationsMemory; decisions: DecisionRecord[] }> {
    try {
      const object = await this.ports.kube.get('configmaps', statusName(this.cluster));
      const data = (object as { data?: Record<string, string> }).data ?? {};
      const decisions = parseJson(data[STATUS_KEY])?.decisions;
      return {
        memory: (parseJson(data[MEMORY_KEY]) ?? {}) as OperationsMemory,
        decisions: Array.isArray(decisions) ? (decisions as DecisionRecord[]) : [],
      };
    } catch (problem) {
      if (problem instanceof KubeError && problem.notFound) return { memory: {}, decisions: [] };
      throw problem;
    }
  }

  async write<S extends AnyStatus>(status: S, memory: OperationsMemory): Promise<void> {
    // The clock of this process means nothing to the next one.
    const { lastActionAtMs: _, patchedAtMs: __, waking: ___, ...lasting } = memory;
    const essence = withoutLag(status) + JSON.stringify(lasting);
    const now = this.ports.clock.nowMs();
    if (essence === this.written && now - this.writtenAtMs < QUIET_MS) return;
    if (essence === this.written && JSON.stringify(status) === this.lastText) return;
    const at = this.ports.clock.wall().toISOString();
    const data = { [STATUS_KEY]: `${JSON.stringify({ ...status, updatedAt: at }, undefined, 2)}\n`, [MEMORY_KEY]: `${JSON.stringify(lasting)}\n` };
    await this.put(data);
    this.written = essence;
    this.writtenAtMs = now;
    this.lastText = JSON.stringify(status);
  }

  /** A part of its own, beside the status. */
  async section(key: string, text: string): Promise<void> {
    await this.put({ [key]: text });
  }

  private async put(data: Record<string, string>): Promise<void> {
    try {
      await this.ports.kube.patch('configmaps', statusName(this.cluster), { data });
    } catch (problem) {
      if (!(problem instanceof KubeError && problem.notFound)) throw problem;
      const labels = { [LABEL.cluster]: this.cluster };
      await this.ports.kube.create('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: statusName(this.cluster), labels }, data });
    }
  }

  /** An Event on the contract; lost ones are not missed, since the status has it too. */
  async event(contract: KubeObject | undefined, text: EventText, namespace: string): Promise<void> {
    const key = `${text.reason} ${text.message}`;
    const now = this.ports.clock.nowMs();
    if (now - (this.events.get(key) ?? -Infinity) < EVENT_AGAIN_MS) return;
    this.events.clear();
    this.events.set(key, now);
    const at = this.ports.clock.wall().toISOString();
    const name = contractName(this.cluster);
    try {
      await this.ports.kube.create('events', {
        apiVersion: 'v1', kind: 'Event',
        metadata: { generateName: `${this.cluster}-` },
        involvedObject: { apiVersion: 'v1', kind: 'ConfigMap', name, namespace, ...(contract?.metadata.uid ? { uid: contract.metadata.uid } : {}) },
        type: text.warning ? 'Warning' : 'Normal',
        reason: text.reason, message: text.message.slice(0, 1000), count: 1,
        source: { component: 'cdk8s-everest-agent' }, firstTimestamp: at, lastTimestamp: at,
        reportingComponent: 'cdk8s-everest-agent', reportingInstance: '',
      });
    } catch (problem) {
      this.ports.log.warn('event not written', { problem: String(problem) });
    }
  }
}
