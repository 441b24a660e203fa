/** Two clusters of one history: one leads, the other one follows its archive, and they change sides under a writer. */
import { randomBytes } from 'node:crypto';
import { App, Chart, Duration } from 'cdk8s';
import {
  EverestAgent, NetworkPeer, PostgresCluster, Protection, RecoverySource, Standby, type BackupStorage,
} from '../../../../lib';
import type { Obj } from '../../kit/cluster-api';
import { AGENT_IMAGE } from '../../kit/images';
import { storageIn, storageObjects } from '../../kit/object-storage';
import { PostgresUnderTest, roleOf } from '../../kit/postgres';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

const BUCKET = 'e2e-standby';
const PATIENCE_S = 600;
const WRITER = '/tmp/writer.sh';
/** Notes what was acknowledged, one number a line. */
const WRITER_TEXT = 'while :; do id=$(psql -qAt -v ON_ERROR_STOP=1 -c "INSERT INTO t DEFAULT VALUES RETURNING id" 2>/dev/null) '
  + '&& [ -n "$id" ] && echo "$id" >> /tmp/acked || sleep 1; sleep 0.05; done';

type Side = 'east' | 'west';
const OTHER: Readonly<Record<Side, Side>> = { east: 'west', west: 'east' };

export class Sides {
  private namespace = '';
  private api!: SuiteContext['api'];
  private readonly clusters = new Map<Side, PostgresUnderTest>();

  /** The first side has rows and a backup. */
  async ready({ api, faults }: SuiteContext): Promise<void> {
    if (this.namespace) return;
    if (!faults.available) throw new Skip(faults.whyNot);
    this.api = api;
    const authority = await faults.bucket(BUCKET);
    this.namespace = `standby-${randomBytes(3).toString('hex')}`;
    await api.createNamespace(this.namespace);
    for (const side of ['east', 'west'] as const) this.clusters.set(side, new PostgresUnderTest(api, this.namespace, side));
    await api.apply(storageObjects(authority), this.namespace);
    await this.apply('east');
    await this.of('east').untilSettled(2, PATIENCE_S);
    await this.sql('east', 'CREATE TABLE t (id bigserial PRIMARY KEY); INSERT INTO t SELECT FROM generate_series(1, 1000)');
    await this.backUp('east');
  }

  /** The second side begins from the backup of the first, follows it, and serves no writes. */
  async follow(): Promise<Sample> {
    const passwords = await this.api.secret(this.namespace, 'east-credentials');
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'west-credentials' }, stringData: passwords };
    await this.api.apply([secret as Obj], this.namespace);
    const started = performance.now();
    await this.apply('west', this.following('west'));
    await this.untilFollows('west');
    await this.sql('east', 'INSERT INTO t SELECT FROM generate_series(1, 500)');
    await this.untilRows('west', 1500);
    const writable = await this.api.endpointSlices(this.namespace, 'west-rw');
    if (writable.some(({ endpoints }) => (endpoints ?? []).length > 0)) throw new Error('the Service for writes leads to a standby cluster');
    return { value: (performance.now() - started) / 1000 };
  }

  /** A writer on the leading side; nothing that it was promised may be missing on the other one. */
  async changeSides(from: Side): Promise<Sample> {
    const to = OTHER[from];
    await this.write(from);
    const demoted = performance.now();
    await this.apply(from, this.following(from));
    await this.untilHandedIn(from);
    const stopped = performance.now();
    const acked = await this.acknowledged(from);
    await this.apply(to, Standby.promoted());
    const writable = await waitFor({ what: `${to} to take writes`, seconds: PATIENCE_S, everyMs: 200 }, async () => {
      const answer = await this.sql(to, 'INSERT INTO t DEFAULT VALUES RETURNING 1', true);
      return answer.startsWith('1') ? undefined : answer;
    });
    const lost = await this.missing(to, acked);
    const figures = { demotion: (stopped - demoted) / 1000, followed: await this.untilSame(to, from) };
    return { value: writable, acked: acked.length, lost, figures };
  }

  async remove({ api }: SuiteContext): Promise<void> {
    if (this.namespace) await api.deleteNamespace(this.namespace);
    this.namespace = '';
    this.clusters.clear();
  }

  async diagnosis(): Promise<string> {
    const all = await Promise.all([...this.clusters.values()].map((cluster) => cluster.diagnosis().catch(String)));
    return all.join('\n');
  }

  private of(side: Side): PostgresUnderTest {
    return this.clusters.get(side)!;
  }

  private storage(side: Side): BackupStorage {
    return storageIn(BUCKET, side);
  }

  private following(side: Side): Standby {
    const other = OTHER[side];
    return Standby.of({ from: RecoverySource.storage(this.storage(other), { clusterName: other }) });
  }

  private async apply(side: Side, standby?: Standby): Promise<void> {
    const chart = new Chart(new App(), 'chart', { namespace: this.namespace });
    const agent = new EverestAgent(chart, 'agent', { image: AGENT_IMAGE.name });
    const cluster = new PostgresCluster(chart, side, {
      agent, instances: 2, version: '17', protection: Protection.deleteWithCluster(),
      storage: { size: '2Gi' },
      resources: { requests: { cpu: '50m', memory: '512Mi' } },
      backup: { storage: this.storage(side), jobImage: AGENT_IMAGE.name, archiveTimeout: Duration.seconds(10) },
      network: { allowFrom: [NetworkPeer.ownNamespace()] },
      ...(standby ? { standby } : {}),
    });
    cluster.addBackupSchedule({ name: 'nightly', cron: '0 2 * * *' });
    await this.api.apply(chart.toJson() as Obj[], this.namespace);
  }

  /** The first one waits for the stanza, which the primary makes by itself. */
  private async backUp(side: Side): Promise<void> {
    await waitFor({ what: `a backup of ${side}`, seconds: PATIENCE_S, everyMs: 2000 }, async () => {
      const target = { namespace: this.namespace, pod: await this.leader(side), container: 'postgres' };
      const { ok, stdout, stderr } = await this.api.exec(target, ['pgbackrest', '--stanza=db', '--type=full', 'backup'], PATIENCE_S);
      return ok ? undefined : `${stdout}${stderr}`.slice(0, 300);
    });
  }

  /** Whoever holds the lease, as a primary or not. */
  private async leader(side: Side): Promise<string> {
    const pods = await this.of(side).members();
    return pods.find((pod) => ['primary', 'standby_leader'].includes(roleOf(pod) ?? ''))?.metadata?.name ?? `${side}-1-0`;
  }

  private async in(side: Side, command: string[]): Promise<string> {
    const target = { namespace: this.namespace, pod: await this.leader(side), container: 'postgres' };
    const { ok, stdout, stderr } = await this.api.exec(target, command, 60);
    if (!ok) throw new Error(`${command.join(' ').slice(0, 60)} in ${target.pod}: ${stderr}`);
    return stdout.trim();
  }

  private async sql(side: Side, statement: string, mayFail = false): Promise<string> {
    return this.in(side, ['psql', '-qAt', '-v', 'ON_ERROR_STOP=1', '-c', statement])
      .catch((problem: Error) => { if (mayFail) return problem.message; throw problem; });
  }

  private async untilFollows(side: Side): Promise<void> {
    await waitFor({ what: `${side} to follow`, seconds: PATIENCE_S, everyMs: 500 }, async () => {
      const roles = (await this.of(side).members()).map((pod) => roleOf(pod) ?? 'none').sort().join(', ');
      return roles === 'replica, standby_leader' ? undefined : roles;
    });
  }

  private async untilRows(side: Side, rows: number): Promise<void> {
    await waitFor({ what: `${rows} rows in ${side}`, seconds: PATIENCE_S, everyMs: 500 }, async () => {
      const count = await this.sql(side, 'SELECT count(*) FROM t', true);
      return Number(count) >= rows ? undefined : count;
    });
  }

  private async write(side: Side): Promise<void> {
    await this.in(side, ['sh', '-c', `echo '${WRITER_TEXT}' > ${WRITER}; rm -f /tmp/acked; nohup sh ${WRITER} > /dev/null 2>&1 & echo started`]);
    await waitFor({ what: 'the writer to write', seconds: PATIENCE_S }, async () => {
      const count = (await this.acknowledged(side)).length;
      return count >= 20 ? undefined : `${count} rows`;
    });
  }

  private async acknowledged(side: Side): Promise<number[]> {
    const text = await this.in(side, ['sh', '-c', 'cat /tmp/acked 2> /dev/null || true']);
    return text.split('\n').filter((line) => line !== '').map(Number);
  }

  /** As a person would: the log says up to where all is in the archive, and the other side has come there. */
  private async untilHandedIn(side: Side): Promise<void> {
    let lsn = '';
    await waitFor({ what: `${side} to hand in its last file`, seconds: PATIENCE_S, everyMs: 500 }, async () => {
      const log = await this.api.logs(this.namespace, await this.leader(side), 'postgres', 400);
      lsn = [...log.matchAll(/all that was committed here is in the archive, up to (\S+)/g)].at(-1)?.[1] ?? '';
      return lsn === '' ? 'the log does not say so' : undefined;
    });
    await waitFor({ what: `the other side of ${side} to come to ${lsn}`, seconds: PATIENCE_S, everyMs: 500 }, async () => {
      const reached = await this.sql(OTHER[side], `SELECT pg_last_wal_replay_lsn() >= '${lsn}'`, true);
      return reached === 't' ? undefined : reached;
    });
    await this.in(side, ['sh', '-c', `for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2> /dev/null | grep -q '^sh ${WRITER}' && kill \${p#/proc/}; done; true`]);
  }

  private async missing(side: Side, acked: readonly number[]): Promise<number> {
    const there = new Set((await this.sql(side, 'SELECT id FROM t')).split('\n').map(Number));
    return acked.filter((id) => !there.has(id)).length;
  }

  /** Seconds until the side that was demoted has what was written on the other one since. */
  private async untilSame(leading: Side, following: Side): Promise<number> {
    const rows = await this.sql(leading, 'SELECT count(*) FROM t');
    const started = performance.now();
    await this.untilRows(following, Number(rows));
    return (performance.now() - started) / 1000;
  }
}

export function standbyEvents(sides: Sides): SuiteEvent[] {
  const figures = {
    demotion: { what: 'time from the first apply until the other side has every commit' },
    followed: { what: 'time until the demoted side has the new rows' },
  };
  const measure = { what: 'time from the second apply until the promoted side takes writes' };
  return [
    {
      name: 'standby-promote', once: true, measure, figures: { ...figures, joined: { what: 'time until a new standby cluster has all rows' } },
      run: async (context) => {
        await sides.ready(context);
        const { value: joined } = await sides.follow();
        const sample = await sides.changeSides('east');
        return { ...sample, figures: { ...sample.figures, joined } };
      },
    },
    { name: 'standby-back', once: true, measure, figures, run: () => sides.changeSides('west') },
  ];
}
