/** Puts together what a Galera cluster is decided from: the watches, the members' streams, and ports of the silent. */
import type { GaleraContract } from '../../../../src/contract/galera.js';
import { BOOTSTRAP_ANNOTATION, COMPONENT, LABEL, SWITCHOVER_ANNOTATION } from '../../../../src/contract/labels.js';
import { galeraRecordName, statusName } from '../../../../src/contract/names.js';
import { GALERA_GROUP_PORT, GALERA_MEMBER_PORT, MYSQL_PORT, PROXY_HEALTH_PORT } from '../../../../src/contract/ports.js';
import type { PodFacts } from '../../model/facts.js';
import type { GaleraReport } from '../../model/galera/member.js';
import { bootstrapRecord } from '../../model/galera/record.js';
import type { GaleraReach, GaleraSnapshot, ProxyFacts } from '../../model/galera/snapshot.js';
import { podFacts, statefulSetFacts } from '../../model/objects.js';
import type { Clock } from '../../ports/clock.js';
import type { KubeObject } from '../../ports/kube.js';
import type { Network } from '../../ports/network.js';
import { podsOfCluster } from '../failover-view.js';
import type { Store } from '../store.js';

/** A reset takes one round trip; what is not there by then counts as silence. */
const PROBE_TIMEOUT_MS = 150;
/**
 * A refusal proves that the process is dead which the others have in their view at that time. An agent that stood still
 * meanwhile may read a later view: in this time no container is back and no member has joined.
 */
const PROOF_HOLDS_MS = 1000;
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

export interface GaleraStores {
  readonly pods: Store;
  readonly statefulSets: Store;
  /** `<cluster>-status` and `<cluster>-bootstraps`. */
  readonly requests: Store;
  /** Only where the agent may read them. */
  readonly nodes?: Store;
}

export interface GaleraSenses {
  readonly network: Pick<Network, 'probe'>;
  readonly clock: Clock;
  /** What a member has told last, if that still holds. */
  report(member: string): GaleraReport | undefined;
}

interface NodeShape {
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: ReadonlyArray<{ readonly key: string }> };
}

function nodesWhere(nodes: Store | undefined, holds: (node: NodeShape) => boolean): string[] {
  const all = nodes?.current ? nodes.all() : [];
  return all.filter((node) => holds(node as NodeShape)).map(({ metadata }) => metadata.name);
}

function is(component: string): (object: KubeObject) => boolean {
  return ({ metadata: { labels = {} } }) => labels[LABEL.component] === component;
}

function namesOf({ members }: GaleraContract, sets: readonly { readonly name: string }[]): string[] {
  return [...new Set([...members, ...sets].map(({ name }) => name))];
}

/** Members and where they are, listed or not. */
export function galeraAddresses(stores: GaleraStores, contract: GaleraContract): Array<{ member: string; ip: string }> {
  const sets = stores.statefulSets.of(contract.cluster).filter(is(COMPONENT.member)).map(({ metadata }) => metadata);
  const pods = podsOfCluster(stores.pods, contract.cluster);
  return namesOf(contract, sets).flatMap((member) => {
    const ip = podOf(contract, member, pods)?.ip;
    return ip === undefined ? [] : [{ member, ip }];
  });
}

function podOf({ members }: GaleraContract, name: string, pods: readonly PodFacts[]): PodFacts | undefined {
  const pod = members.find((member) => member.name === name)?.pod ?? `${name}-0`;
  return pods.find((item) => item.name === pod);
}

async function reachOf(
  { network, clock }: GaleraSenses, { member, ip }: { member: string; ip: string },
): Promise<GaleraReach> {
  const takenAtMs = clock.nowMs();
  const ports = [GALERA_MEMBER_PORT, MYSQL_PORT, GALERA_GROUP_PORT];
  const [state, sql, group] = await Promise.all(ports.map((port) => network.probe(ip, port, PROBE_TIMEOUT_MS)));
  return { member, ip, takenAtMs, state: state!, sql: sql!, group: group! };
}

/** Only where a member is silent: its node may be lost, with the proxy on it. */
async function proxiesOf(pods: Store, { network }: GaleraSenses, cluster: string): Promise<ProxyFacts[]> {
  const all = pods.of(cluster).filter(is(COMPONENT.proxy)).map(podFacts);
  return Promise.all(all.map(async ({ name, uid, ip, node, deleting }) => ({
    pod: name, uid, node, deleting,
    reach: ip === undefined ? 'unknown' : await network.probe(ip, PROXY_HEALTH_PORT, PROBE_TIMEOUT_MS),
  })));
}

export async function lookAtGalera(
  stores: GaleraStores, senses: GaleraSenses, contract: GaleraContract,
): Promise<GaleraSnapshot> {
  const addresses = galeraAddresses(stores, contract);
  const silent = addresses.filter(({ member }) => senses.report(member) === undefined);
  const [reach, proxies] = await Promise.all([
    Promise.all(silent.map((address) => reachOf(senses, address))),
    silent.length > 0 ? proxiesOf(stores.pods, senses, contract.cluster) : [],
  ]);
  // The asking took time; what was told meanwhile counts.
  const { cluster } = contract;
  const { pods, statefulSets, requests, nodes } = stores;
  const status = requests.get(statusName(cluster))?.metadata.annotations;
  return {
    cluster, contract, proxies,
    reach: reach.filter(({ takenAtMs }) => senses.clock.nowMs() - takenAtMs <= PROOF_HOLDS_MS),
    record: requests.read(() => {
      const object = requests.get(galeraRecordName(cluster));
      return object && bootstrapRecord(object);
    }),
    pods: pods.read(() => podsOfCluster(pods, cluster)),
    statefulSets: statefulSets.read(() => statefulSets.of(cluster).filter(is(COMPONENT.member)).map(statefulSetFacts)),
    reports: addresses.flatMap(({ member }) => senses.report(member) ?? []),
    deadNodes: nodesWhere(nodes, ({ spec }) => spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE) === true),
    cordoned: nodesWhere(nodes, ({ spec }) => spec?.unschedulable === true),
    writerRequest: status?.[SWITCHOVER_ANNOTATION],
    bootstrapRequest: status?.[BOOTSTRAP_ANNOTATION],
  };
}
