/**
 * A restore in place and its way back, under a writer that never stops. The moment has what was acknowledged before it
 * and nothing else; the way back has all that was acknowledged until the restore began, and an archive without a gap.
 */
import { execFile as execFileWithCallback } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { V1Pod } from '@kubernetes/client-node';
import type { BackupFixture } from './fixture';
import { MEMBERS, PATIENCE_S, untilWritable } from './fixture';
import { dropTable, type Moment } from './targets';
import { compare, lookAt, remember } from './undo';
import { Bootstrap, RecoverySource, RecoveryTarget } from '../../../../lib';
import type { Obj } from '../../kit/cluster-api';
import { storageIn } from '../../kit/object-storage';
import { nameOf } from '../../kit/postgres';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { since, waitFor } from '../../kit/wait';

const execFile = promisify(execFileWithCallback);
const MEMBER = 'everest.io/component=member';
const COMMAND = join(__dirname, '../../../../agent/dist/kubectl-everest.cjs');

function podObject(pod: V1Pod): Obj {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: nameOf(pod) } } as Obj;
}

/** What happens to the agent: each step of a restore is tried with it dead. */
type Step = 'declared' | 'holding' | 'restoring' | 'promoting';
const STEPS: readonly Step[] = ['declared', 'holding', 'restoring', 'promoting'];

interface Back {
  readonly seconds: number;
  readonly acked: number;
  readonly lost: number;
}

export class InPlace {
  private restores = 0;

  constructor(private readonly fixture: BackupFixture) {}

  /** A table is dropped; where to go back to, and the name of the restore. */
  private async mistake(context: SuiteContext): Promise<{ moment: Moment; target: RecoveryTarget; name: string }> {
    const { fixture } = this;
    await fixture.ready(context);
    await this.anotherTable();
    const moment = await remember(fixture);
    await dropTable(fixture);
    await fixture.writer.untilWriting(PATIENCE_S);
    await fixture.untilArchived();
    return { moment, target: RecoveryTarget.time(moment.at), name: `restore-${++this.restores}` };
  }

  /** The earlier one lacks what was written to restored data before they were rejected, as it should. */
  private async anotherTable(): Promise<void> {
    await this.fixture.sql('DROP TABLE e2e_writes');
    await this.fixture.writer.untilWriting(PATIENCE_S);
  }

  /** Restored, and kept for good: nothing is set aside any more, and there is no way back. */
  async accepted(context: SuiteContext): Promise<Sample> {
    const { fixture } = this;
    const { moment, target, name } = await this.mistake(context);
    await this.declare(target, name, false);
    const begun = new Date().toISOString();
    const start = performance.now();
    await this.command('restore', name);
    await untilWritable(fixture.cluster, PATIENCE_S);
    const value = since(start);
    await this.untilWhole();
    if (!(await this.setAside()).includes('before-')) throw new Error('nothing was set aside');
    await this.command('accept', name);
    const left = await this.setAside();
    if (left.includes('before-')) throw new Error(`accepted, and still there: ${left}`);
    await fixture.declare({ bootstrap: Bootstrap.putBack(name), prefix: name });
    const back = await this.command('reject', name).then(() => 'done', (problem: unknown) => String(problem));
    if (back === 'done') throw new Error('reject was done after accept');
    await this.declare(target, name, false);
    return { value, ...await compare(fixture.cluster, moment, target, begun), note: back.split('\n').slice(-3).join(' ').slice(0, 300) };
  }

  /** What lies beside the data of all members. */
  private async setAside(): Promise<string> {
    const { cluster } = this.fixture;
    const lists = await Promise.all((await cluster.members()).map((pod) => cluster.execIn(pod, ['ls', '/pgdata'])));
    return lists.map(({ stdout }) => stdout.split('\n').join(' ')).join('; ');
  }

  /** As a person does before anything is declared. */
  private async lookAhead(moment: Moment): Promise<void> {
    const { namespace, cluster } = this.fixture;
    const ask = (to: string) => execFile(process.execPath, [COMMAND, 'restore', cluster.name, '-n', namespace, '--to', to], { timeout: PATIENCE_S * 1000 })
      .then(({ stdout }) => stdout, ({ stdout, stderr }: { stdout: string; stderr: string }) => `refused: ${stdout}${stderr}`);
    const good = await ask(moment.at);
    if (!/can be reached from the backup/.test(good) || good.startsWith('refused')) throw new Error(`restore --to ${moment.at} says ${good}`);
    const early = await ask('2020-01-01T00:00:00Z');
    if (!/^refused: [^]*The window of/.test(early)) throw new Error(`restore --to 2020 says ${early}`);
  }

  async run(context: SuiteContext, killAgentAt?: Step): Promise<Sample> {
    const { fixture } = this;
    const { moment, target, name } = await this.mistake(context);
    if (killAgentAt === undefined) await this.lookAhead(moment);
    await this.declare(target, name, killAgentAt === undefined);
    await this.killAgents(context, 'declared', killAgentAt);
    const later = await this.rowsAfterTheMistake();
    const begun = new Date().toISOString();
    const start = performance.now();
    await Promise.all([this.command('restore', name), this.killAtStep(context, killAgentAt)]);
    const figures: Record<string, number> = {};
    if (killAgentAt === undefined) {
      figures.readable = since(start);
      await lookAt(fixture.cluster, await this.first(), moment);
      await this.declare(target, name, false);
      // The files come with the next look of the kubelet.
      await this.command('restore', name);
    }
    await untilWritable(fixture.cluster, PATIENCE_S);
    const restored = since(start);
    const found = await compare(fixture.cluster, moment, target, begun);
    const whole = await this.untilWhole();
    const back = await this.putBack(context, name, later);
    const counted = { acked: found.acked! + back.acked, lost: found.lost! + back.lost };
    const note = killAgentAt ? { note: `the agent dies: ${killAgentAt}` } : {};
    return { value: restored, ...counted, figures: { ...figures, whole, back: back.seconds }, ...note };
  }

  /** What a person does in Git: another prefix, and the moment. */
  private async declare(target: RecoveryTarget, name: string, pauseAtTarget: boolean): Promise<void> {
    const { fixture } = this;
    const from = RecoverySource.storage(storageIn(fixture.cluster.name), { clusterName: fixture.cluster.name });
    const bootstrap = Bootstrap.recover({ from, target, pauseAtTarget, replacing: name });
    await fixture.declare({ prefix: name, bootstrap });
  }

  private async first(): Promise<V1Pod> {
    const { cluster } = this.fixture;
    return (await cluster.members()).find((pod) => nameOf(pod) === `${cluster.name}-1-0`)!;
  }

  /** As a person runs it; gives what it says. */
  private async command(step: string, name: string): Promise<string> {
    const { namespace, cluster } = this.fixture;
    const command = [COMMAND, step, cluster.name, '-n', namespace, '--id', name];
    const { stdout } = await execFile(process.execPath, command, { timeout: PATIENCE_S * 1000 });
    return stdout;
  }

  private async putBack(context: SuiteContext, name: string, later: Moment): Promise<Back> {
    const { fixture } = this;
    await fixture.declare({ bootstrap: Bootstrap.putBack(name) });
    const start = performance.now();
    await this.command('reject', name);
    await untilWritable(fixture.cluster, PATIENCE_S);
    const seconds = since(start);
    const { acked = 0, lost = 0 } = await compare(fixture.cluster, later, RecoveryTarget.latest());
    await this.untilWhole();
    await fixture.untilArchived();
    // Recovered from the old archive: a gap in it would end here.
    const wanted = { target: RecoveryTarget.latest(), instances: 1 };
    const cloned = await fixture.withClone(context, wanted, async (clone) => {
      await untilWritable(clone, PATIENCE_S);
      return compare(clone, later, RecoveryTarget.latest());
    });
    await fixture.declare();
    return { seconds, acked: acked + cloned.acked!, lost: lost + cloned.lost! };
  }

  /** Rows that only the old data have: the table that the writer made after the mistake. */
  private async rowsAfterTheMistake(): Promise<Moment> {
    await this.fixture.writer.untilWriting(PATIENCE_S);
    return remember(this.fixture);
  }

  private async killAtStep(context: SuiteContext, step?: Step): Promise<void> {
    if (step === undefined || step === 'declared') return;
    await this.untilStep(context, step);
    await this.killAgents(context, step, step);
  }

  private async untilWhole(): Promise<number> {
    const start = performance.now();
    await this.fixture.cluster.hurryToSettle(MEMBERS, PATIENCE_S);
    await this.fixture.writer.untilWriting(PATIENCE_S);
    return since(start);
  }

  /** Both agents at once, without grace. */
  private async killAgents({ api }: SuiteContext, step?: Step, wanted?: Step): Promise<void> {
    if (step === undefined || step !== wanted) return;
    const agents = await api.pods(this.fixture.namespace, 'app.kubernetes.io/name=everest-agent');
    await api.delete(agents.map(podObject), this.fixture.namespace, 0);
  }

  private async untilStep({ api }: SuiteContext, step: Step): Promise<void> {
    const said: Record<Step, RegExp> = {
      declared: /./, holding: /a restore in place is declared/, restoring: /restoring the backup/,
      promoting: /archive recovery complete|selected new timeline/,
    };
    await waitFor({ what: `a member to be ${step}`, seconds: PATIENCE_S, everyMs: 200 }, async () => {
      const pods = await api.pods(this.fixture.namespace, `everest.io/cluster=${this.fixture.cluster.name},${MEMBER}`);
      const logs = await Promise.all(pods.map((pod) => api.logs(this.fixture.namespace, nameOf(pod), 'postgres', 200).catch(() => '')));
      return logs.some((log) => said[step].test(log)) ? undefined : 'it is not';
    });
  }
}

export function inPlaceEvents(fixture: BackupFixture): SuiteEvent[] {
  const inPlace = new InPlace(fixture);
  const measure = { what: 'from the command until the restored cluster takes writes' };
  const figures = {
    readable: { what: 'until the data can be looked at, before they are promoted' },
    whole: { what: 'from then until all members stream' }, back: { what: 'the same for the way back' },
  };
  return [
    { name: 'in-place-restore', once: true, measure, figures, run: (context) => inPlace.run(context) },
    {
      name: 'agent-killed-in-restore', measure, figures,
      run: (context, run) => inPlace.run(context, STEPS[(run - 1) % STEPS.length]!),
    },
    { name: 'in-place-accepted', once: true, measure, run: (context) => inPlace.accepted(context) },
  ];
}
