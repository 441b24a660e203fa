/** Builders of a Galera cluster of three as it is when all is well; a test changes what it is about. */
import type { GaleraContract } from '../../../src/contract/galera.js';
import type { PodFacts } from '../../src/model/facts.js';
import type { Bootstrap, GaleraReport, WsrepFacts } from '../../src/model/galera/member.js';
import type { Position } from '../../src/model/galera/position.js';
import type { BootstrapRecord, Grant } from '../../src/model/galera/record.js';
import type { GaleraSnapshot } from '../../src/model/galera/snapshot.js';
import type { StatefulSetFacts } from '../../src/model/operations.js';

export const MEMBERS = ['orders-1', 'orders-2', 'orders-3'] as const;
export const UUID = '11111111-2222-3333-4444-555555555555';
export const OTHER_UUID = '99999999-2222-3333-4444-555555555555';
export const VIEW = { 'orders-1': 'g-1', 'orders-2': 'g-2', 'orders-3': 'g-3' };

export const at = (seqno: number, uuid = UUID): Position => ({ uuid, seqno });
export const FIRST: Bootstrap = { n: 1, id: 'b-1', member: 'orders-1', position: undefined };

export function contract(members: readonly string[] = MEMBERS): GaleraContract {
  return {
    contractVersion: 1, engine: 'mariadb', cluster: 'orders', namespace: 'shop', engineVersion: '11.8',
    members: members.map((name) => ({ name, pod: `${name}-0`, group: 'default', promotable: true, volumes: [`${name}-data`] })),
    agentLogin: { role: 'everest_agent', secret: 'orders-credentials', key: 'api' },
    databases: [], roles: [],
  };
}

const numberIn = (name: string) => name.split('-')[1]!;

export function galeraPod(name: string, more: Partial<PodFacts> = {}): PodFacts {
  const number = numberIn(name);
  return {
    name: `${name}-0`, uid: `uid-${number}`, ip: `10.0.0.${number}`, node: `node-${number}`, deleting: false, ready: true,
    container: 'running', containerReason: undefined, started: true, role: undefined, revision: 'r1', status: undefined, ...more,
  };
}

export function galeraSet(name: string, more: Partial<StatefulSetFacts> = {}): StatefulSetFacts {
  return { name, resourceVersion: '1', replicas: 1, updateRevision: 'r1', ...more };
}

const WSREP: WsrepFacts = { primary: true, ready: true, state: 4, gcomm: undefined, view: VIEW };

/** Synced, at 100. */
export function synced(name: string, more: Partial<GaleraReport> = {}): GaleraReport {
  return {
    member: name, takenAtMs: 1000, bootId: `boot-${numberIn(name)}`, phase: 'synced', because: '', ambiguous: false, serverRuns: true,
    data: 'present', position: at(100), era: { number: 0, by: '' }, bootstrap: FIRST, lastView: [...MEMBERS], writer: { member: 'orders-1', epoch: 1 },
    wsrep: { ...WSREP, gcomm: `g-${numberIn(name)}` }, drained: false, desynced: false, pendingRestart: [], declared: undefined, ...more,
  };
}

/** Its server has ended, and its position is recovered. */
export function waiting(name: string, seqno: number | undefined, more: Partial<GaleraReport> = {}): GaleraReport {
  const position = seqno === undefined ? undefined : at(seqno);
  return synced(name, { phase: 'waiting', serverRuns: false, wsrep: undefined, writer: undefined, position, ...more });
}

/** Its server runs without quorum. */
export function nonprimary(
  name: string, seqno: number, more: Partial<GaleraReport> = {}, view: Readonly<Record<string, string>> = VIEW,
): GaleraReport {
  return synced(name, {
    phase: 'nonprimary', position: at(seqno), wsrep: { ...WSREP, primary: false, ready: false, state: 0, gcomm: `g-${numberIn(name)}`, view }, ...more,
  });
}

export function bootstraps(more: Partial<BootstrapRecord> = {}): BootstrapRecord {
  return { resourceVersion: '7', grants: [], confirmed: FIRST, era: 0, settled: undefined, ...more };
}

export function grant(more: Partial<Grant> = {}): Grant {
  return { id: 'grant-1', kind: 'recovery', member: 'orders-2', bootId: 'boot-2', era: 0, position: at(101), survivors: [], at: '', ...more };
}

export function galera(more: Partial<GaleraSnapshot> = {}): GaleraSnapshot {
  return {
    cluster: 'orders', contract: contract(), record: bootstraps(), pods: MEMBERS.map((name) => galeraPod(name)),
    statefulSets: MEMBERS.map((name) => galeraSet(name)), reports: MEMBERS.map((name) => synced(name)), reach: [],
    proxies: [],
    deadNodes: [], cordoned: [], writerRequest: undefined, bootstrapRequest: undefined, ...more,
  };
}
