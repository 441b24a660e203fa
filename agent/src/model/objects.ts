/** Kubernetes objects -> facts. Tolerant: a field that is missing or odd is unknown, never a guess. */
import type {
  ContainerState, DynamicFacts, LeaderFacts, PatroniStatus, PendingChange, PodFacts, SyncFacts,
} from './facts.js';
import { parseFence } from './fence.js';
import type { StatefulSetFacts } from './operations.js';
import { LABEL, WAITING_ANNOTATION } from '../../../src/contract/labels.js';
import type { KubeObject } from '../ports/kube.js';

/** The container of a member whose end is the end of its server: one of these in every member's Pod. */
const CONTAINERS = ['postgres', 'mariadb', 'pxc'];

interface RunState {
  readonly running?: object;
  readonly terminated?: { readonly reason?: string };
  readonly waiting?: { readonly reason?: string };
}

interface ContainerStatus {
  readonly name: string;
  readonly started?: boolean;
  readonly state?: RunState;
}

interface PodShape {
  readonly spec?: { nodeName?: string };
  readonly status?: {
    podIP?: string;
    hostIP?: string;
    phase?: string;
    containerStatuses?: ContainerStatus[];
    conditions?: Array<{ type: string; status: string }>;
  };
}

export function parseJson(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export const textOrNothing = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
export const numberOrNothing = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

function containerStatus(shape: PodShape): ContainerStatus | undefined {
  return shape.status?.containerStatuses?.find((status) => CONTAINERS.includes(status.name));
}

function containerState({ status }: PodShape, { running, terminated, waiting }: RunState): ContainerState {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return 'terminated';
  if (running) return 'running';
  if (terminated) return 'terminated';
  return waiting ? 'waiting' : 'unknown';
}

function containerFacts(shape: PodShape): Pick<PodFacts, 'container' | 'containerReason' | 'started'> {
  const { state = {}, started } = containerStatus(shape) ?? {};
  return {
    container: containerState(shape, state),
    containerReason: state.waiting?.reason ?? state.terminated?.reason,
    started: started === true,
  };
}

function isReady({ status }: PodShape): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}

/** `pending_restart_reason`; Patroni without reasons still says that there is one. */
export function pendingChanges(answer: Readonly<Record<string, unknown>>): PendingChange[] {
  if (answer.pending_restart !== true) return [];
  const reasons = (answer.pending_restart_reason ?? {}) as Record<string, { old_value?: unknown; new_value?: unknown }>;
  const changes = Object.entries(reasons).map(([parameter, { old_value: from, new_value: to }]) => (
    { parameter, from: String(from ?? ''), to: String(to ?? '') }
  ));
  return changes.length > 0 ? changes : [{ parameter: 'unnamed', from: '', to: '' }];
}

function patroniStatus(pod: KubeObject): PatroniStatus | undefined {
  const status = parseJson(pod.metadata.annotations?.status);
  return status && {
    state: textOrNothing(status.state),
    role: textOrNothing(status.role),
    timeline: numberOrNothing(status.timeline),
    streaming: status.replication_state === 'streaming',
    location: numberOrNothing(status.xlog_location),
    pendingRestart: pendingChanges(status),
    apiUrl: textOrNothing(status.api_url),
  };
}

export function podFacts(pod: KubeObject): PodFacts {
  const shape = pod as PodShape;
  const { name, uid = '', deletionTimestamp, labels = {} } = pod.metadata;
  return {
    name,
    uid,
    ip: shape.status?.podIP || undefined,
    hostIp: shape.status?.hostIP || undefined,
    node: shape.spec?.nodeName,
    deleting: deletionTimestamp !== undefined,
    ready: isReady(shape),
    ...containerFacts(shape),
    role: labels[LABEL.role],
    revision: labels['controller-revision-hash'],
    status: patroniStatus(pod),
    waitingFor: textOrNothing(parseJson(pod.metadata.annotations?.[WAITING_ANNOTATION])?.problem),
  };
}

/** Where a Pod can be asked. */
export interface Address {
  readonly pod: string;
  readonly ip: string;
}

export function addressesOf(pods: readonly PodFacts[]): Address[] {
  return pods.flatMap(({ name, ip }) => (ip === undefined ? [] : [{ pod: name, ip }]));
}

export function leaderFacts(object: KubeObject): LeaderFacts {
  const annotations = object.metadata.annotations ?? {};
  const addresses = Object.entries(parseJson(annotations.failsafe) ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const fence = parseFence(annotations.leader);
  return {
    pod: fence ? undefined : annotations.leader || undefined,
    fence,
    resourceVersion: object.metadata.resourceVersion ?? '',
    renewTime: annotations.renewTime,
    acquireTime: annotations.acquireTime,
    addresses: Object.fromEntries(addresses),
  };
}

/** What a lease says apart from when it was renewed; only leases have `acquireTime`. */
const LASTING = ['leader', 'acquireTime', 'failsafe'];

/** Whether the same holder wrote its lease once more, and nothing else in it changed that decisions look at. */
export function isRenewal(before: KubeObject | undefined, after: KubeObject): boolean {
  const [old, now] = [before?.metadata.annotations, after.metadata.annotations];
  return before?.metadata.uid === after.metadata.uid && now?.leader !== undefined && now.acquireTime !== undefined
    && LASTING.every((name) => old?.[name] === now[name]);
}

export function syncFacts(object: KubeObject | undefined): SyncFacts {
  const annotations = object?.metadata.annotations ?? {};
  return {
    leader: annotations.leader || undefined,
    standbys: (annotations.sync_standby ?? '').split(',').map((name) => name.trim()).filter((name) => name !== ''),
    quorum: Number.parseInt(annotations.quorum ?? '0', 10) || 0,
  };
}

/** `<cluster>-config`; undefined when it cannot be read as Patroni writes it. */
export function dynamicFacts(object: KubeObject | undefined): DynamicFacts | undefined {
  const config = parseJson(object?.metadata.annotations?.config);
  return config && {
    paused: config.pause === true,
    synchronous: ['on', 'true', 'quorum', true].includes(config.synchronous_mode as string | boolean),
    ttlMs: (numberOrNothing(config.ttl) ?? 30) * 1000,
  };
}

interface StatefulSetShape {
  readonly spec?: { replicas?: number };
  readonly status?: { observedGeneration?: number; updateRevision?: string };
}

export function statefulSetFacts(object: KubeObject): StatefulSetFacts {
  const shape = object as StatefulSetShape;
  const seen = shape.status?.observedGeneration === object.metadata.generation;
  return {
    name: object.metadata.name,
    resourceVersion: object.metadata.resourceVersion ?? '',
    replicas: shape.spec?.replicas ?? 1,
    updateRevision: seen ? shape.status?.updateRevision : undefined,
  };
}
