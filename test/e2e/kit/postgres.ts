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

  /** The same sooner: for the way between two runs, where nothing is measured. */
  async hurryToSettle(count: number, seconds: number): Promise<void> {
    await waitFor({ what: `${this.name} to be whole with ${count} members`, seconds, everyMs: 500 }, async () => {
      const missing = await this.missing(count);
      if (missing !== undefined) await this.wakePatroni().catch(() => undefined);
      return missing;
    });
  }

  /** An empty change of the configuration: Patroni looks at its cluster now instead of at the end of its pause. */
  private async wakePatroni(): Promise<void> {
    const ask = 'import urllib.request as u; u.urlopen(u.Request("http://127.0.0.1:8008/config", b\'{"pause": null}\', method="PATCH"))';
    await this.execIn(await this.primary(), ['python3', '-c', ask]);
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

  async execIn(pod: V1Pod, command: string[], seconds?: number): ReturnType<ClusterApi['exec']> {
    return this.api.exec({ namespace: this.namespace, pod: nameOf(pod), container: CONTAINER }, command, seconds);
  }

  /**
   * All processes of a member at once: PID 1 (tini) cannot be killed from inside, but it ends with its child, and the
   * rest with it.
   */
  async killContainer(pod: V1Pod): Promise<void> {
    await this.execIn(pod, ['sh', '-c', 'kill -9 -1']).catch(() => undefined);
  }

  /**
   * Seconds until a member is seen streaming by the primary. One question that waits there, so that the answer is not
   * late by the way to it.
   */
  async untilStreaming(member: string, seconds: number): Promise<number> {
    const start = performance.now();
    const query = `SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name = '${member}'`;
    const script = `until [ "$(psql -XAtqU postgres -c "${query}" 2>/dev/null)" = 1 ]; do sleep 0.2; done`;
    await waitFor({ what: `${member} to stream again`, seconds }, async () => {
      const primary = await this.primary();
      if (nameOf(primary) === member) return `${member} has the label primary`;
      const asked = await this.api.exec({ namespace: this.namespace, pod: nameOf(primary), container: CONTAINER }, ['timeout', '15', 'sh', '-c', script]);
      return asked.ok ? undefined : `it does not stream from ${nameOf(primary)}`;
    });
    return (performance.now() - start) / 1000;
  }

  async timeline(): Promise<number> {
    const wal = await this.sql(await this.primary(), 'SELECT pg_walfile_name(pg_current_wal_insert_lsn())');
    return Number.parseInt(wal.slice(0, 8), 16);
  }

  /** What a person would look at first. */
  async diagnosis(): Promise<string> {
    const { core } = this.api;
    const pods = await this.members();
    const maps = (await core.listNamespacedConfigMap({ namespace: this.namespace, labelSelector: `everest.io/cluster=${this.name}` })).items;
    const annotations = maps.filter(({ metadata }) => /-(leader|sync|failover)$/.test(metadata?.name ?? ''))
      .map(({ metadata }) => `${metadata?.name}: ${JSON.stringify({ ...metadata?.annotations, slots: undefined, failsafe: undefined })}`);
    const lists = await Promise.all(pods.slice(0, 1).map(async (pod) => {
      const listed = await this.execIn(pod, ['patronictl', '-c', '/etc/everest/patroni', 'list']).catch(String);
      return typeof listed === 'string' ? listed : listed.stdout + listed.stderr;
    }));
    const logs = await Promise.all(pods.map(async (pod) => `${nameOf(pod)}:\n${await this.api.logs(this.namespace, nameOf(pod), CONTAINER, 15)}`));
    const states = pods.map((pod) => `${nameOf(pod)} on ${nodeOf(pod)}, ${roleOf(pod)}, ${pod.status?.phase}, restarts ${restartsOf([pod])}`);
    return [...states, ...lists, ...annotations, ...logs].join('\n');
  }

  private async missing(count: number): Promise<string | undefined> {
    const pods = await this.members();
    return unready(pods, count) ?? wrongRoles(pods)
      ?? (await this.wrongServices(pods)) ?? (await this.notStreaming(pods)) ?? (await this.notElectable(pods.filter((pod) => roleOf(pod) === 'replica').map(nameOf)));
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

  private async synchronousStandbys(): Promise<string[]> {
    const name = `${this.name}-sync`;
    const { core } = this.api;
    const sync = await core.readNamespacedConfigMap({ namespace: this.namespace, name }).catch(() => undefined);
    return (sync?.metadata?.annotations?.sync_standby ?? '').split(',').filter((standby) => standby !== '');
  }

  /**
   * With synchronous replication, only standbys that Patroni has named in `-sync` may be elected, and it names them one
   * round after they stream: a primary that dies before that leaves nobody to take over.
   */
  private async notElectable(standbys: readonly string[]): Promise<string | undefined> {
    const { core } = this.api;
    const { data } = await core.readNamespacedConfigMap({ namespace: this.namespace, name: `${this.name}-contract` });
    const contract = JSON.parse(data?.['contract.json'] ?? '{}') as { patroni?: { synchronous_mode?: boolean | string } };
    if (!contract.patroni?.synchronous_mode) return undefined;
    const named = await this.synchronousStandbys();
    if (named.length === 0) return 'no standby may be elected yet';
    // With a quorum, any standby may be the one that a commit waited for: all of them are named.
    const absent = contract.patroni.synchronous_mode === 'quorum' ? standbys.filter((name) => !named.includes(name)) : [];
    return absent.length > 0 ? `the sync key does not name ${absent.join(', ')}` : undefined;
  }
}

export function nameOf(pod: V1Pod): string {
  return pod.metadata?.name ?? '?';
}

export function nodeOf(pod: V1Pod): string {
  return pod.spec?.nodeName ?? '?';
}

export function restartsOf(pods: readonly V1Pod[]): number {
  return pods.reduce((sum, pod) => sum + (pod.status?.containerStatuses?.[0]?.restartCount ?? 0), 0);
}

export function roleOf(pod: V1Pod): string | undefined {
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
