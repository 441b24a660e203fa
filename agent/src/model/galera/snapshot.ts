/** What is known about one Galera cluster at one moment, and what is remembered from look to look. Values only. */
import type { GaleraReport } from './member.js';
import type { BootstrapRecord } from './record.js';
import type { GaleraContract } from '../../../../src/contract/galera.js';
import type { Maybe, PodFacts, Reach } from '../facts.js';
import type { RequestAnswer, StatefulSetFacts } from '../operations.js';

/** Ports of a member that tells nothing, tried just now: its own interface, SQL and the group's. */
export interface GaleraReach {
  readonly member: string;
  readonly ip: string;
  readonly takenAtMs: number;
  readonly state: Reach;
  readonly sql: Reach;
  readonly group: Reach;
}

/** A Pod of HAProxy, and its health port, tried just now; only while a member is silent. */
export interface ProxyFacts {
  readonly pod: string;
  readonly uid: string;
  readonly node: string | undefined;
  readonly deleting: boolean;
  readonly reach: Reach;
}

export interface GaleraSnapshot {
  readonly cluster: string;
  readonly contract: GaleraContract;
  readonly record: Maybe<BootstrapRecord>;
  readonly pods: Maybe<readonly PodFacts[]>;
  readonly statefulSets: Maybe<readonly StatefulSetFacts[]>;
  readonly reports: readonly GaleraReport[];
  readonly reach: readonly GaleraReach[];
  readonly proxies: readonly ProxyFacts[];
  /** Nodes that somebody has declared dead (taint `node.kubernetes.io/out-of-service`). */
  readonly deadNodes: readonly string[];
  /** Nodes that take no new Pods; empty where nodes are not watched. */
  readonly cordoned: readonly string[];
  /** What a person asks for on `<cluster>-status`: another writer. */
  readonly writerRequest: string | undefined;
  /** The same: a bootstrap that the agent would not decide. */
  readonly bootstrapRequest: string | undefined;
}

/** What is remembered of one member's Pod from look to look. */
export interface SeenMember {
  readonly uid: string;
  /** Looks in a row at which all of its ports refused. */
  readonly refused: number;
  readonly lastLookMs: number;
  /** Its container was last seen to have ended; a Pod that goes in order ends first. */
  readonly ended: boolean;
}

export interface GaleraMemory {
  readonly seen: Readonly<Record<string, SeenMember>>;
  /** By uid of a proxy's Pod: looks in a row at which it was silent. */
  readonly silentProxies: Readonly<Record<string, number>>;
  /** gcomm uuids that were evicted. */
  readonly evicted: readonly string[];
  /** Since when there is no component that may write. */
  readonly withoutPrimarySinceMs?: number;
  /** Grants and requests to set data aside that a member has refused. */
  readonly refused: readonly string[];
  /** The grant that a member has answered to last, and when. */
  readonly answered?: { readonly id: string; readonly atMs: number };
  /** When the last planned and disruptive action was carried out. */
  readonly lastActionAtMs?: number;
  /** The last thing that a person asked for, and what came of it. */
  readonly lastRequest?: RequestAnswer;
}

export const NO_GALERA_MEMORY: GaleraMemory = { seen: {}, silentProxies: {}, evicted: [], refused: [] };
