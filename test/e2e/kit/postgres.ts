/** A PostgresCluster under test, seen from outside: its members, their roles, its Services, its replication. */
import type { V1EndpointSlice, V1Pod } from '@kubernetes/client-node';
import type { ClusterApi } from './cluster-api';
import { isReady } from './cluster-api';
import { waitFor } from './wait';

const ROLE = 'everest.io/role';
const CONTAINER = 'postgres';

export class PostgresUnderTest {
  constructor(private readonly api: ClusterApi, readonly namespace: string, readonly name: string) {}

  async members(): Promise<V1Pod[]> {
    return this.api.pods(this.namespace, `everest.io/cluster=${this.name},everest.io/component=member`);
  }

  async untilReady(count: number, seconds: number): Promise<number> {
    return waitFor({ what: `${count} Ready members of ${this.name}`, seconds, everyMs: 100 }, async () => {
      const ready = (await this.members()).filter(isReady).length;
      return ready === count ? undefined : `${ready} are Ready`;
    });
  }

  /**
   * Ready, one primary, Services right, every standby streaming and electable: the state that each event starts from
   * and must come back to.
   */
  async untilSettled(count: number, seconds: number): Promise<number> {
    return waitFor({ what: `${this.name} to be whole with ${count} members`, seconds, everyMs: 500 }, () => this.missing(count));
  }

  async primary(): Promise<V1Pod> {
    const primaries = (await this.members()).filter((pod) => roleOf(pod) === 'primary' && isReady(pod));
    if (primaries.length !== 1) throw new Error(`${primaries.length} Ready members have the label role=primary`);
    return primaries[0]!;
  }

  /** SQL as the local superuser of one member. */
  async sql(pod: V1Pod, statement: string, database = 'postgres'): Promise<string> {
    const result = await this.execIn(pod, ['psql', '-XAtq', '-U', 'postgres', '-d', database, '-c', statement]);
    if (!result.ok) throw new Error(`psql in ${nameOf(pod)}: ${result.stderr.trim()}`);
    return result.stdout.trim();
  }

  async execIn(pod: V1Pod, command: string[]): ReturnType<ClusterApi['exec']> {
    return this.api.exec({ namespace: this.namespace, pod: nameOf(pod), container: CONTAINER }, command);
  }

  private async missing(count: number): Promise<string | undefined> {
    const pods = await this.members();
    return unready(pods, count) ?? wrongRoles(pods)
      ?? (await this.wrongServices(pods)) ?? (await this.notStreaming(pods)) ?? (await this.notElectable());
  }

  private async wrongServices(pods: readonly V1Pod[]): Promise<string | undefined> {
    for (const [suffix, role] of [['rw', 'primary'], ['ro', 'replica']] as const) {
      const expected = pods.filter((pod) => roleOf(pod) === role).map((pod) => pod.status?.podIP ?? '?').sort().join(' ');
      const found = addressesOf(await this.api.endpointSlices(this.namespace, `${this.name}-${suffix}`)).sort().join(' ');
      if (found !== expected) return `Service ${this.name}-${suffix} leads to [${found}], expected [${expected}]`;
    }
    return undefined;
  }

  private async notStreaming(pods: readonly V1Pod[]): Promise<string | undefined> {
    const primary = pods.find((pod) => roleOf(pod) === 'primary')!;
    const query = "SELECT coalesce(string_agg(application_name, ' ' ORDER BY application_name), '') FROM pg_stat_replication WHERE state = 'streaming'";
    const streaming = (await this.sql(primary, query)).split(' ');
    const absent = pods.filter((pod) => pod !== primary).map(nameOf).filter((name) => !streaming.includes(name));
    return absent.length > 0 ? `not streaming: ${absent.join(', ')}` : undefined;
  }

  /**
   * With synchronous replication, only standbys that Patroni has named in `-sync` may be elected, and it names them one
   * round after they stream: a primary that dies before that leaves nobody to take over.
   */
  private async notElectable(): Promise<string | undefined> {
    const { core } = this.api;
    const { data } = await core.readNamespacedConfigMap({ namespace: this.namespace, name: `${this.name}-contract` });
    const contract = JSON.parse(data?.['contract.json'] ?? '{}') as { patroni?: { synchronous_mode?: boolean | string } };
    if (!contract.patroni?.synchronous_mode) return undefined;
    const sync = await core.readNamespacedConfigMap({ namespace: this.namespace, name: `${this.name}-sync` }).catch(() => undefined);
    return sync?.metadata?.annotations?.sync_standby ? undefined : 'no standby may be elected yet';
  }
}

export function nameOf(pod: V1Pod): string {
  return pod.metadata?.name ?? '?';
}

export function nodeOf(pod: V1Pod): string {
  return pod.spec?.nodeName ?? '?';
}

function roleOf(pod: V1Pod): string | undefined {
  return pod.metadata?.labels?.[ROLE];
}

function unready(pods: readonly V1Pod[], count: number): string | undefined {
  const waiting = pods.filter((pod) => !isReady(pod)).map(nameOf);
  if (pods.length !== count) return `${pods.length} members instead of ${count}`;
  return waiting.length > 0 ? `not Ready: ${waiting.join(', ')}` : undefined;
}

function wrongRoles(pods: readonly V1Pod[]): string | undefined {
  const roles = pods.map((pod) => `${nameOf(pod)}=${roleOf(pod)}`).join(' ');
  const primaries = pods.filter((pod) => roleOf(pod) === 'primary').length;
  const replicas = pods.filter((pod) => roleOf(pod) === 'replica').length;
  return primaries === 1 && replicas === pods.length - 1 ? undefined : `roles ${roles}`;
}

function addressesOf(slices: readonly V1EndpointSlice[]): string[] {
  const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
  return endpoints.filter((endpoint) => endpoint.conditions?.ready !== false).flatMap((endpoint) => endpoint.addresses);
}
