/** VolumeSnapshots -> facts. Tolerant: what is missing is unknown. */
import type { SnapshotRecord } from './backup-status.js';
import { parseJson } from './objects.js';
import { SNAPSHOT_ANNOTATION, type SnapshotFacts } from '../../../src/contract/snapshot.js';
import type { KubeObject } from '../ports/kube.js';

export interface SnapshotView {
  readonly name: string;
  readonly uid: string;
  /** The moment is kept: what is written to the volume from now on is not in it. */
  readonly taken: boolean;
  readonly ready: boolean;
  /** What the driver says of its last try. */
  readonly error: string | undefined;
  /** Undefined: it is no backup. */
  readonly facts: SnapshotFacts | undefined;
}

interface Shape {
  readonly status?: {
    readonly creationTime?: string;
    readonly readyToUse?: boolean;
    readonly error?: { readonly message?: string };
  };
}

const NEEDED: ReadonlyArray<keyof SnapshotFacts> = [
  'cluster', 'member', 'system', 'major', 'architecture', 'label', 'startLsn', 'stopLsn', 'startWal', 'stopWal', 'stoppedAt',
];

/** Whole or not at all. */
export function parseSnapshotFacts(value: Record<string, unknown> | undefined): SnapshotFacts | undefined {
  return value && NEEDED.every((key) => typeof value[key] === 'string' && value[key] !== '') ? value as unknown as SnapshotFacts : undefined;
}

export function snapshotView(object: KubeObject): SnapshotView {
  const { status = {} } = object as Shape;
  const { name, uid = '', annotations = {} } = object.metadata;
  return {
    name, uid,
    taken: status.creationTime !== undefined,
    ready: status.readyToUse === true,
    error: status.error && (status.error.message ?? 'it gives no reason'),
    facts: parseSnapshotFacts(parseJson(annotations[SNAPSHOT_ANNOTATION])),
  };
}

/** A snapshot that counts. */
export type Complete = SnapshotView & { readonly facts: SnapshotFacts };

export const isComplete = (view: SnapshotView): view is Complete => view.facts !== undefined;

export function snapshotRecord({ name, ready, facts }: Complete, useless: string | undefined): SnapshotRecord {
  const { stoppedAt: endedAt, stopLsn, member } = facts;
  const why = [...(ready ? [] : ['it is not ready to use']), ...(useless === undefined ? [] : [useless])].join('; ');
  return { name, endedAt, stopLsn, member, good: why === '', ...(why === '' ? {} : { why }) };
}
