/** Puts together what planned work is decided from. Members are asked only where something may have to be done. */
import { podsOfCluster, type Senses } from './failover-view.js';
import type { Store } from './store.js';
import type { ContractDocument } from '../../../src/contract/document.js';
import { COMPONENT, LABEL, SWITCHOVER_ANNOTATION } from '../../../src/contract/labels.js';
import { dynamicConfigName, failoverName, leaderName, statusName, syncName } from '../../../src/contract/names.js';
import type { MemberReport, PodFacts } from '../model/facts.js';
import { askMember } from '../model/member-report.js';
import { leaderFacts, parseJson, syncFacts } from '../model/objects.js';
import type { OperationsSnapshot, StatefulSetFacts } from '../model/operations.js';
import type { KubeObject } from '../ports/kube.js';

/** Planned work is in no hurry: a slow answer is better than none. */
const REPORT_TIMEOUT_MS = 3000;

export interface OperationsStores {
  readonly pods: Store;
  readonly dcs: Store;
  readonly statefulSets: Store;
  /** `<cluster>-status`, where people ask. */
  readonly requests: Store;
}

interface StatefulSetShape {
  readonly spec?: { replicas?: number };
  readonly status?: { observedGeneration?: number; updateRevision?: string };
}

function statefulSetFacts(object: KubeObject): StatefulSetFacts {
  const shape = object as StatefulSetShape;
  const seen = shape.status?.observedGeneration === object.metadata.generation;
  return {
    name: object.metadata.name,
    resourceVersion: object.metadata.resourceVersion ?? '',
    replicas: shape.spec?.replicas ?? 1,
    updateRevision: seen ? shape.status?.updateRevision : undefined,
  };
}

function isMemberOf(cluster: string): (object: KubeObject) => boolean {
  return ({ metadata }) => metadata.labels?.[LABEL.cluster] === cluster && metadata.labels[LABEL.component] === COMPONENT.member;
}

/** Patroni keeps the object and empties its annotations when the switchover is over. */
function isFailoverAsked(object: KubeObject | undefined): boolean {
  const { leader, member } = object?.metadata.annotations ?? {};
  return Boolean(leader) || Boolean(member);
}

export function readOperations(stores: OperationsStores, contract: ContractDocument): OperationsSnapshot {
  const { cluster } = contract;
  const known = stores.dcs.current;
  const leader = stores.dcs.get(leaderName(cluster));
  return {
    cluster,
    contract,
    leader: known && leader ? leaderFacts(leader) : 'unknown',
    sync: known ? syncFacts(stores.dcs.get(syncName(cluster))) : 'unknown',
    config: (known ? parseJson(stores.dcs.get(dynamicConfigName(cluster))?.metadata.annotations?.config) : undefined) ?? 'unknown',
    failoverAsked: known ? isFailoverAsked(stores.dcs.get(failoverName(cluster))) : 'unknown',
    pods: stores.pods.current ? podsOfCluster(stores.pods, cluster) : 'unknown',
    statefulSets: stores.statefulSets.current ? stores.statefulSets.all().filter(isMemberOf(cluster)).map(statefulSetFacts) : 'unknown',
    switchoverRequest: stores.requests.get(statusName(cluster))?.metadata.annotations?.[SWITCHOVER_ANNOTATION],
    reports: [],
  };
}

export async function askAll(senses: Senses, pods: readonly PodFacts[]): Promise<MemberReport[]> {
  const takenAtMs = senses.clock.nowMs();
  const asked = pods.filter((pod) => pod.ip !== undefined && pod.container === 'running');
  const answers = await Promise.all(asked.map((pod) => askMember(senses.patroni, { pod: pod.name, ip: pod.ip! }, takenAtMs, REPORT_TIMEOUT_MS)));
  return answers.filter((report): report is MemberReport => report !== undefined);
}
