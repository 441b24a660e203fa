/**
 * A member that is away while the others set their data aside: it holds, does not hear the first one, and is gone when
 * that has moved. Nobody begins without it until a person says so. When it comes back, its data are older than the
 * restore and higher than all positions in it, and must neither serve nor be joined.
 */
import type { V1Pod } from '@kubernetes/client-node';
import { MEMBERS, PATIENCE_S } from './fixture';
import type { InPlace } from './in-place';
import type { Obj } from '../../kit/cluster-api';
import type { Place } from '../../kit/faults';
import type { MemberState } from '../../kit/galera';
import { nameOf, nodeOf } from '../../kit/postgres';
import type { Sample, SuiteContext } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

const STATE_PORT = 9200;
/** Members that would begin by themselves do so within 5 s of hearing each other. */
const QUIET_S = 20;

const placeOf = (pod: V1Pod): Place => ({ node: nodeOf(pod), ip: pod.status!.podIP! });

export class MissedRestore {
  constructor(private readonly inPlace: InPlace) {}

  /** `forgotten`: the declaration is taken out before the member comes back; the agent has to set its data aside. */
  async run(context: SuiteContext, forgotten: boolean): Promise<Sample> {
    const { inPlace } = this;
    const { name, moment } = await inPlace.begin(context);
    await context.faults.alone(() => this.miss(context, name, moment.at));
    await this.nobodyServes();
    await this.decide(context);
    await inPlace.under.untilSettled(MEMBERS - 1, PATIENCE_S);
    await inPlace.isAsAt(moment);
    if (forgotten) await inPlace.declare(context, undefined, name);
    const value = await this.comeBack(context);
    await inPlace.isAsAt(moment);
    const back = await inPlace.putBack(context, name);
    const { acked, lost } = await inPlace.writer.verify();
    return { value, acked, lost, figures: { back }, note: forgotten ? 'the declaration was taken out before it came back' : 'the declaration stood' };
  }

  /** A target that cannot be reached keeps all holding; it is corrected when the last one no longer hears the first. */
  private async miss(context: SuiteContext, name: string, at: string): Promise<void> {
    const { inPlace: { under, namespace } } = this;
    await this.inPlace.declareRestore(context, name, '2099-01-01T00:00:00Z');
    const old = await under.members();
    await context.api.delete(old.map((pod) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: nameOf(pod) } } as Obj)), namespace);
    await this.inPlace.restWhenSilent();
    await this.untilStates('all members hold, since the target cannot be reached', (states) => (
      states.every(({ phase, because }) => phase === 'holding' && because.includes('nothing is moved'))
    ));
    const [first, , last] = await under.members();
    const answered = await context.faults.unanswered(placeOf(last!), placeOf(first!), STATE_PORT);
    try {
      await this.untilStates('the last one not to hear the first', (states) => states[2]!.because.includes('waiting to hear'));
      await this.inPlace.declareRestore(context, name, at);
      await this.untilStates('two to have moved, and the last one not', ([one, two, three]) => (
        one!.era.number === two!.era.number && one!.era.number === three!.era.number + 1
      ));
      await this.scaleLast(context, 0);
      await waitFor({ what: 'the last member to be gone', seconds: PATIENCE_S, everyMs: 500 }, async () => (
        (await under.members()).length === MEMBERS - 1 ? undefined : 'its Pod is there'
      ));
    } finally {
      await answered();
    }
  }

  private async untilStates(what: string, isSo: (states: readonly MemberState[]) => boolean): Promise<void> {
    await waitFor({ what, seconds: PATIENCE_S, everyMs: 500 }, async () => {
      const states = await this.inPlace.under.states().catch(() => []);
      const told = () => states.map(({ member, phase, era, because }) => `${member} is ${phase} in era ${era.number} (${because})`).join('; ');
      return states.length === MEMBERS && isSo(states) ? undefined : told() || 'not all answer';
    });
  }

  /** What is not to happen has no end that could be waited for. */
  private async nobodyServes(): Promise<void> {
    const end = Date.now() + QUIET_S * 1000;
    await waitFor({ what: 'the time to pass in which nobody may begin', seconds: QUIET_S * 3, everyMs: 500 }, async () => {
      const states = await this.inPlace.under.states();
      const begun = states.find(({ phase }) => phase !== 'waiting' && phase !== 'recovering');
      if (begun) throw new Error(`${begun.member} is ${begun.phase}, though a member with data from before is away`);
      return Date.now() > end ? undefined : 'it is not over';
    });
  }

  /** As a person who will not wait for the last member. */
  private async decide({ api }: SuiteContext): Promise<void> {
    const { cluster, namespace } = this.inPlace;
    const status: Obj = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${cluster}-status` } };
    await api.merge(status, namespace, { metadata: { annotations: { 'everest.io/bootstrap': `${cluster}-1@new` } } });
  }

  private async comeBack(context: SuiteContext): Promise<number> {
    await this.scaleLast(context, 1);
    return this.inPlace.under.untilSettled(MEMBERS, PATIENCE_S);
  }

  private async scaleLast({ api }: SuiteContext, replicas: number): Promise<void> {
    const { cluster, namespace } = this.inPlace;
    await api.merge({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: `${cluster}-3` } } as Obj, namespace, { spec: { replicas } });
  }
}
