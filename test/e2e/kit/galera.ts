/** A Galera cluster under test, seen from outside: its Pods and what its members say of themselves. */
import type { V1Pod } from '@kubernetes/client-node';
import type { ClusterApi, Obj } from './cluster-api';
import { isReady } from './cluster-api';
import { nameOf, nodeOf, restartsOf } from './postgres';
import { waitFor } from './wait';

const CONTAINER = 'mariadb';
const ASK = 'import sys, urllib.request as u; sys.stdout.write(u.urlopen("http://127.0.0.1:9200/state", timeout=3).read().decode())';

export interface MemberState {
  readonly member: string;
  readonly phase: string;
  readonly because: string;
  readonly position: { readonly uuid: string | null; readonly seqno: number };
  readonly lastBootstrap: { readonly n: number } | null;
  readonly wsrep: { readonly clusterStatus: string; readonly clusterSize: number } | null;
  readonly writer: { readonly member: string; readonly epoch: number } | null;
  readonly era: { readonly number: number };
}

export class GaleraUnderTest {
  constructor(private readonly api: ClusterApi, readonly namespace: string, readonly name: string) {}

  async members(): Promise<V1Pod[]> {
    const pods = await this.api.pods(this.namespace, `everest.io/cluster=${this.name},everest.io/component=member`);
    return pods.sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
  }

  async state(pod: V1Pod): Promise<MemberState> {
    const result = await this.execIn(pod, ['python3', '-c', ASK]);
    if (!result.ok) throw new Error(`${nameOf(pod)} tells nothing: ${result.stderr.trim().split('\n').pop()}`);
    return JSON.parse(result.stdout) as MemberState;
  }

  async states(): Promise<MemberState[]> {
    return Promise.all((await this.members()).map((pod) => this.state(pod)));
  }

  /** The member that takes writes. */
  async writer(): Promise<V1Pod> {
    const [state] = await this.states();
    return this.podOf(state?.writer?.member);
  }

  async nonWriter(): Promise<V1Pod> {
    const writer = nameOf(await this.writer());
    const other = (await this.members()).find((pod) => nameOf(pod) !== writer);
    if (!other) throw new Error('there is no other member');
    return other;
  }

  /** All members synced in one view, one of them the writer, and no copy under way. */
  async untilSettled(count: number, seconds: number): Promise<number> {
    return waitFor({ what: `${this.name} to be whole with ${count} members`, seconds, everyMs: 500 }, async () => {
      const pods = await this.members();
      if (pods.length !== count || !pods.every(isReady)) return `${pods.filter(isReady).length} of ${pods.length} Pods are Ready`;
      const states = await this.states();
      const apart = states.find(({ phase, wsrep }) => phase !== 'synced' || wsrep?.clusterSize !== count);
      if (apart) return `${apart.member} is ${apart.phase} (${apart.because})`;
      return new Set(states.map(({ writer }) => writer?.member)).size === 1 ? undefined : 'they name different writers';
    });
  }

  /** Until the others are a group without it. */
  async untilGone(pod: V1Pod, seconds: number): Promise<number> {
    return waitFor({ what: `the group to go on without ${nameOf(pod)}`, seconds, everyMs: 100 }, async () => {
      const others = (await this.members()).filter((each) => nameOf(each) !== nameOf(pod));
      const states = await Promise.all(others.map((each) => this.state(each)));
      const apart = states.find(({ wsrep }) => wsrep?.clusterStatus !== 'Primary' || wsrep.clusterSize !== others.length);
      return apart ? `${apart.member} sees ${apart.wsrep?.clusterSize ?? 0} members, ${apart.wsrep?.clusterStatus ?? 'no status'}` : undefined;
    });
  }

  /** Until a member says that it is in one of these phases. */
  async untilIn(phases: readonly string[], pod: V1Pod, seconds: number): Promise<number> {
    return waitFor({ what: `${nameOf(pod)} to be ${phases.join(' or ')}`, seconds, everyMs: 100 }, async () => {
      const { phase } = await this.state(pod);
      return phases.includes(phase) ? undefined : `it is ${phase}`;
    });
  }

  /** All processes at once: PID 1 (tini) ends with its child, and the rest with it. */
  async kill(pod: V1Pod): Promise<void> {
    await this.execIn(pod, ['sh', '-c', 'kill -9 -1']).catch(() => undefined);
  }

  /** Its server alone; the script that is its parent goes on. */
  async killServer(pod: V1Pod): Promise<void> {
    await this.execIn(pod, ['pkill', '-KILL', '-x', 'mariadbd']).catch(() => undefined);
  }

  /** A new Pod in its place, stopped in order. */
  async renew(pod: V1Pod, seconds: number): Promise<void> {
    await this.api.delete([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: nameOf(pod) } } as Obj], this.namespace);
    await waitFor({ what: `a new Pod in the place of ${nameOf(pod)}`, seconds, everyMs: 500 }, async () => {
      const now = (await this.members()).find((each) => nameOf(each) === nameOf(pod));
      return now && now.metadata?.uid !== pod.metadata?.uid ? undefined : 'it is the old one';
    });
  }

  /** A checksum for each table of the database, from every member; they must not differ. */
  async checksums(database: string): Promise<string[]> {
    const sql = `SET SESSION wsrep_sync_wait = 1; CHECKSUM TABLE ${database}.e2e_writes`;
    return Promise.all((await this.members()).map(async (pod) => {
      const result = await this.execIn(pod, ['mariadb', '-S', '/run/mysqld/mysqld.sock', '-u', 'mysql', '-N', '-e', sql]);
      if (!result.ok) throw new Error(`${nameOf(pod)}: ${result.stderr.trim()}`);
      return result.stdout.trim();
    }));
  }

  async diagnosis(): Promise<string> {
    const pods = await this.members();
    const tell = (pod: V1Pod) => this.state(pod).then((state) => JSON.stringify(state), String);
    const said = await Promise.all(pods.map(tell));
    const logs = await Promise.all(pods.map(async (pod) => `${nameOf(pod)}:\n${await this.api.logs(this.namespace, nameOf(pod), CONTAINER, 150)}`));
    const lines = pods.map((pod) => `${nameOf(pod)} on ${nodeOf(pod)}, ${pod.status?.phase}, restarts ${restartsOf([pod])}`);
    return [...lines, ...said, ...logs].join('\n');
  }

  private async podOf(member: string | undefined): Promise<V1Pod> {
    const pod = (await this.members()).find((each) => nameOf(each) === `${member}-0`);
    if (!pod) throw new Error(`${member ?? 'no member'} is the writer, which is no Pod`);
    return pod;
  }

  /** As a user, through the network of the member. */
  async sqlAs(pod: V1Pod, { user, password }: { user: string; password: string }, statement: string): ReturnType<ClusterApi['exec']> {
    const client = ['mariadb', '--no-defaults', '-h', '127.0.0.1', `-u${user}`, '-N', '-e', statement];
    return this.execIn(pod, ['env', `MYSQL_PWD=${password}`, ...client]);
  }

  private execIn(pod: V1Pod, command: string[]): ReturnType<ClusterApi['exec']> {
    return this.api.exec({ namespace: this.namespace, pod: nameOf(pod), container: CONTAINER }, command);
  }
}
