/**
 * Clusters that make the agent work and cost next to nothing: their objects are real, made by the library, and so is
 * what the StatefulSet controller makes of them; no Pod ever runs on a node. What Patroni and the kubelet would have
 * written is written by us, leases are renewed by us, and one Pod answers at the members' ports for all of them, with a
 * PostgreSQL of its own, in which the agent finds and makes what the contracts declare.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import type { ClusterApi, Obj } from './cluster-api';
import { isReady } from './cluster-api';
import { assistedCluster } from './constructs';
import { POSTGRES_IMAGE } from './images';
import { nameOf } from './postgres';
import { waitFor } from './wait';

const MEMBERS = 3;
/** Addresses only, of TEST-NET-1: thirty members on each, as a fleet of a hundred clusters has them. */
const NODES = 10;
const MEMBER = { 'everest.io/component': 'member' };
/** Patroni's loopWait, at which a primary renews. */
const RENEW_S = 10;
/** At Patroni's port it answers nothing and holds every connection, as the agent needs it of a healthy member. */
const RESPONDER = `
import asyncio, os, subprocess
BIN, DATA, ROLE = '/usr/lib/postgresql/17/bin', '/tmp/pg', os.environ['AGENT_ROLE']
def server():
    subprocess.run([BIN + '/initdb', '-D', DATA, '-U', ROLE, '--auth=trust', '--no-sync'], check=True)
    with open(DATA + '/pg_hba.conf', 'a') as file:
        file.write('host all all all trust\\n')
    subprocess.Popen([BIN + '/postgres', '-D', DATA, '-h', '0.0.0.0', '-k', '/tmp', '-c', 'fsync=off'])
async def hold(reader, writer):
    try:
        while await reader.read(4096):
            pass
    finally:
        writer.close()
async def main():
    async with await asyncio.start_server(hold, '0.0.0.0', 8008) as waiting:
        await waiting.serve_forever()
server()
asyncio.run(main())
`;

export class SimulatedClusters {
  private readonly names: string[];

  constructor(private readonly api: ClusterApi, private readonly namespace: string, count: number) {
    this.names = Array.from({ length: count }, (_, index) => `sim-${String(index + 1).padStart(3, '0')}`);
  }

  async create(storageClass: string): Promise<void> {
    let address = '';
    for (const name of this.names) {
      const all = assistedCluster({ namespace: this.namespace, name, storageClass });
      const objects = all.filter((object) => isNeeded(object, name));
      address ||= await this.startResponder(contractOf(objects, name).agentLogin.role);
      await this.api.apply(objects.map(nowhere), this.namespace);
      const contract = contractOf(objects, name);
      const written = [...filledSecrets(contract, name), ...patroniObjects(name, address, contract)];
      await this.api.apply(written, this.namespace);
    }
    const pods = await this.untilPods();
    for (const pod of pods) await this.pretendToRun(pod, address);
  }

  /** As idle primaries do; for so many seconds. */
  async renewFor(seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1000;
    for (let turn = 0; performance.now() < end; turn++) {
      const started = performance.now();
      await this.renew(this.names[turn % this.names.length]!);
      await pause(Math.max(0, (RENEW_S * 1000) / this.names.length - (performance.now() - started)));
    }
  }

  /** Until the agent has done its first work for each: databases, users and Secrets as declared. */
  async renewUntilSettled(seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      await this.renewFor(RENEW_S);
      const statuses = await Promise.all(this.names.map((name) => this.status(name)));
      const left = this.names.filter((_, index) => !statuses[index]);
      if (left.length === 0) return;
      if (performance.now() > end) throw new Error(`the agent has not come to ${left.length} simulated clusters, such as ${left[0]!}`);
    }
  }

  /** Whether the agent has told of its databases that nothing is missing. */
  private async status(name: string): Promise<boolean> {
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${name}-status` } } as Obj;
    const found = await this.api.read<Obj & { data?: Record<string, string> }>(map, this.namespace);
    const { problems } = JSON.parse(found?.data?.['databases.json'] ?? '{}') as { problems?: unknown[] };
    return problems?.length === 0;
  }

  private async renew(name: string): Promise<void> {
    const lease = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${name}-leader` } } as Obj;
    await this.api.merge(lease, this.namespace, { metadata: { annotations: { renewTime: new Date().toISOString() } } });
  }

  private async startResponder(role: string): Promise<string> {
    const pod = {
      apiVersion: 'v1', kind: 'Pod', metadata: { name: 'sim-responder', labels: { app: 'sim-responder' } },
      spec: {
        automountServiceAccountToken: false, terminationGracePeriodSeconds: 0,
        securityContext: { runAsNonRoot: true, runAsUser: 10026, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [{
          name: 'responder', image: POSTGRES_IMAGE.name, imagePullPolicy: 'IfNotPresent', command: ['python3', '-c', RESPONDER],
          env: [{ name: 'AGENT_ROLE', value: role }], volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
          readinessProbe: { tcpSocket: { port: 5432 }, periodSeconds: 1 },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        }],
        volumes: [{ name: 'tmp', emptyDir: {} }],
      },
    } as Obj;
    await this.api.apply([pod], this.namespace);
    let address = '';
    await waitFor({ what: 'the responder', seconds: 60 }, async () => {
      const [running] = await this.api.pods(this.namespace, 'app=sim-responder');
      address = running?.status?.podIP ?? '';
      return running && isReady(running) && address !== '' ? undefined : 'it is not Ready';
    });
    return address;
  }

  private async untilPods(): Promise<V1Pod[]> {
    let pods: V1Pod[] = [];
    await waitFor({ what: 'the Pods of simulated members', seconds: 300, everyMs: 1000 }, async () => {
      pods = (await this.api.pods(this.namespace, 'everest.io/component=member')).filter((pod) => nameOf(pod).startsWith('sim-'));
      return pods.length === this.names.length * MEMBERS ? undefined : `${pods.length} are there`;
    });
    return pods;
  }

  /** What the kubelet and Patroni would write. */
  private async pretendToRun(pod: V1Pod, address: string): Promise<void> {
    const name = nameOf(pod), primary = name.endsWith('-1-0');
    const status = JSON.stringify({
      conn_url: `postgres://${address}:5432/postgres`, api_url: `http://${address}:8008/patroni`, state: 'running',
      role: primary ? 'primary' : 'replica', version: '4.0.7', xlog_location: 50331648, timeline: 1,
      ...(primary ? {} : { replication_state: 'streaming' }),
    });
    const labels = { 'everest.io/role': primary ? 'primary' : 'replica' };
    await this.api.merge({ apiVersion: 'v1', kind: 'Pod', metadata: { name } } as Obj, this.namespace,
      { metadata: { labels, annotations: { status } } });
    const now = new Date();
    const hostIP = `192.0.2.${1 + (Number(name.split('-')[1]) % NODES)}`;
    const body = {
      status: {
        phase: 'Running', podIP: address, podIPs: [{ ip: address }], hostIP, hostIPs: [{ ip: hostIP }],
        conditions: ['Ready', 'ContainersReady', 'Initialized'].map((type) => ({ type, status: 'True', lastTransitionTime: now })),
        containerStatuses: [{ name: 'postgres', image: POSTGRES_IMAGE.name, imageID: '', ready: true, started: true, restartCount: 0, state: { running: { startedAt: now } } }],
      },
    };
    await this.api.mergePodStatus(this.namespace, name, body);
  }
}

function isNeeded({ kind, metadata: { name } }: Obj, cluster: string): boolean {
  if (kind === 'ServiceAccount') return name === cluster;
  if (kind === 'Role' || kind === 'RoleBinding') return name === `${cluster}-agent`;
  if (kind === 'ConfigMap') return [`${cluster}-contract`, `${cluster}-status`].includes(name);
  return kind === 'StatefulSet';
}

/** No scheduler of that name is there to find a node. */
function nowhere(object: Obj): Obj {
  const { spec } = object as Obj & { spec?: { template: { spec: object } } };
  if (object.kind !== 'StatefulSet' || !spec) return object;
  return { ...object, spec: { ...spec, template: { ...spec.template, spec: { ...spec.template.spec, schedulerName: 'nobody' } } } } as Obj;
}

interface Contract {
  readonly patroni: object;
  readonly agentLogin: { readonly role: string; readonly secret: string; readonly key: string };
}

/** As the members have filled them: without them the agent would ask for them again and again. */
function filledSecrets({ agentLogin: { secret, key } }: Contract, name: string): Obj[] {
  const values = { [secret]: { [key]: 'simulated' }, [`${name}-app`]: { user: 'app', password: 'simulated', dbname: 'app' } };
  return Object.entries(values).map(([each, stringData]) =>
    ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: each }, stringData }) as Obj);
}

function contractOf(objects: readonly Obj[], name: string): Contract {
  const contract = objects.find((object) => object.metadata.name === `${name}-contract`) as Obj & { data: Record<string, string> };
  return JSON.parse(contract.data['contract.json']!) as Contract;
}

function patroniObjects(cluster: string, address: string, contract: Contract): Obj[] {
  const pods = Array.from({ length: MEMBERS }, (_, index) => `${cluster}-${index + 1}-0`);
  const [leader, ...standbys] = pods;
  const now = new Date().toISOString();
  const failsafe = JSON.stringify(Object.fromEntries(pods.map((pod) => [pod, `http://${address}:8008/patroni`])));
  const annotations = {
    leader: { leader: leader!, ttl: '30', renewTime: now, acquireTime: now, transitions: '0', optime: '50331648', failsafe },
    config: { config: JSON.stringify(contract.patroni), initialize: '7000000000000000000', history: '[]' },
    sync: { leader: leader!, sync_standby: standbys.join(','), quorum: '1' },
  };
  return Object.entries(annotations).map(([suffix, values]) => ({
    apiVersion: 'v1', kind: 'ConfigMap',
    metadata: { name: `${cluster}-${suffix}`, labels: { ...MEMBER, 'everest.io/cluster': cluster }, annotations: values },
  }) as Obj);
}
