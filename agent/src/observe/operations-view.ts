/** Puts together what planned work is decided from. Members are asked only where something may have to be done. */
import { isPresent, podsOfCluster, readLeader, type Senses } from './failover-view.js';
import { parseForks, type Forks } from './standstills.js';
import type { Store } from './store.js';
import type { ContractDocument } from '../../../src/contract/document.js';
import { COMPONENT, LABEL, SWITCHOVER_ANNOTATION } from '../../../src/contract/labels.js';
import { dynamicConfigName, failoverName, statusName, syncName } from '../../../src/contract/names.js';
import { readArchiveStatus } from '../model/backup-status.js';
import type { MemberReport, PodFacts } from '../model/facts.js';
import { askMember } from '../model/member-report.js';
import { addressesOf, parseJson, statefulSetFacts, syncFacts } from '../model/objects.js';
import type { OperationsSnapshot } from '../model/operations.js';
import type { KubeObject } from '../ports/kube.js';

/** Planned work is in no hurry: a slow answer is better than none. */
const REPORT_TIMEOUT_MS = 3000;

export interface OperationsStores {
  readonly pods: Store;
  readonly dcs: Store;
  readonly statefulSets: Store;
  /** Only where the agent may read them. */
  readonly nodes?: Store;
  /** `<cluster>-status`, where people ask. */
  readonly requests: Store;
}

function isCordoned(node: KubeObject): boolean {
  return (node as { spec?: { unschedulable?: boolean } }).spec?.unschedulable === true;
}

function isMember({ metadata: { labels = {} } }: KubeObject): boolean {
  return labels[LABEL.component] === COMPONENT.member;
}

/** Patroni keeps the object and empties its annotations when the switchover is over. */
function isFailoverAsked(object: KubeObject | undefined): boolean {
  const { leader, member } = object?.metadata.annotations ?? {};
  return Boolean(leader) || Boolean(member);
}

export function readOperations(stores: OperationsStores, contract: ContractDocument): OperationsSnapshot {
  const { cluster } = contract;
  const { pods, dcs, statefulSets } = stores;
  return {
    cluster,
    contract,
    leader: readLeader(dcs, cluster),
    sync: dcs.read(() => syncFacts(dcs.get(syncName(cluster)))),
    config: dcs.read(() => parseJson(dcs.get(dynamicConfigName(cluster))?.metadata.annotations?.config)),
    failoverAsked: dcs.read(() => isFailoverAsked(dcs.get(failoverName(cluster)))),
    pods: pods.read(() => podsOfCluster(pods, cluster)),
    statefulSets: statefulSets.read(() => statefulSets.of(cluster).filter(isMember).map(statefulSetFacts)),
    archive: readArchiveStatus(stores.requests.get(statusName(cluster))),
    switchoverRequest: stores.requests.get(statusName(cluster))?.metadata.annotations?.[SWITCHOVER_ANNOTATION],
    cordoned: stores.nodes?.all().filter(isCordoned).map(({ metadata }) => metadata.name) ?? [],
    refusals: 'unknown',
    standstills: [],
    reports: [],
  };
}

export function readForks({ dcs }: OperationsStores, cluster: string): Forks {
  return parseForks(dcs.get(dynamicConfigName(cluster))?.metadata.annotations?.history);
}

export async function askAll(senses: Senses, pods: readonly PodFacts[]): Promise<MemberReport[]> {
  const takenAtMs = senses.clock.nowMs();
  const running = addressesOf(pods.filter((pod) => pod.container === 'running'));
  const asking = running.map((address) => askMember(senses.patroni, address, takenAtMs, REPORT_TIMEOUT_MS));
  return (await Promise.all(asking)).filter(isPresent);
}
