/** Builders of operations snapshots: three healthy members, from which each example changes what it is about. */
import { LEADER, NAMES, lease, pod, report } from './failover.js';
import type { ContractDocument } from '../../../src/contract/document.js';
import type { MemberReport } from '../../src/model/facts.js';
import type { OperationsMemory, OperationsSnapshot, StatefulSetFacts } from '../../src/model/operations.js';

export const PATRONI: ContractDocument['patroni'] = {
  ttl: 30, loop_wait: 10, retry_timeout: 10,
  maximum_lag_on_failover: 1048576, check_timeline: true, failsafe_mode: true,
  synchronous_mode: 'quorum', synchronous_mode_strict: false, synchronous_node_count: 1,
  postgresql: { use_pg_rewind: true, use_slots: true, parameters: { max_connections: '100', work_mem: '4MB' }, pg_hba: ['local all all peer'], pg_ident: [] },
};

export function contract(names: readonly string[] = NAMES, patroni = PATRONI): ContractDocument {
  const members = names.map((name) => ({ name: name.slice(0, -2), pod: name, group: 'default', promotable: true, volumes: [] }));
  const agentLogin = { role: 'everest_agent', secret: 'orders-credentials', key: 'agent' };
  return { contractVersion: 1, engine: 'postgresql', cluster: 'orders', namespace: 'shop', engineVersion: '17.11', members, agentLogin, preferAvailability: false, databases: [], roles: [], patroni };
}

export function statefulSet(name: string, change: Partial<StatefulSetFacts> = {}): StatefulSetFacts {
  return { name: name.slice(0, -2), resourceVersion: '7', replicas: 1, updateRevision: 'r1', ...change };
}

export const PRIMARY_REPORT: MemberReport = report(LEADER, { role: 'primary', streaming: false, receivedLocation: undefined, location: 1000 });
export const REPORTS = [PRIMARY_REPORT, report(NAMES[1]), report(NAMES[2])];
export const MEMORY: OperationsMemory = { managedParameters: ['max_connections', 'work_mem'] };

export function operations(change: Partial<OperationsSnapshot> = {}): OperationsSnapshot {
  return {
    cluster: 'orders', contract: contract(), leader: lease(),
    sync: { leader: LEADER, standbys: [NAMES[1], NAMES[2]], quorum: 1 },
    config: PATRONI as unknown as Record<string, unknown>,
    failoverAsked: false, switchoverRequest: undefined, refusals: [], standstills: [], cordoned: [], reports: REPORTS,
    pods: NAMES.map((name) => pod(name)), statefulSets: NAMES.map((name) => statefulSet(name)),
    ...change,
  };
}
