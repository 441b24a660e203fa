/**
 * `kubectl everest restore`, `reject` and `accept`: a restore in place is declared in Git, and done once for its name.
 * Members do it and know how far they are; here they are only looked at, ended all at once when everything is there,
 * and followed.
 */
import type { Moment, RestoreRequest } from './arguments.js';
import { CommandError, contractOf, INTERRUPTED } from './command.js';
import { gitChange, notThere, wayBack } from './git-change.js';
import type { Replacement } from '../../../src/contract/document.js';
import { GALERA_CONTAINER } from '../../../src/contract/galera.js';
import { WAITING_ANNOTATION } from '../../../src/contract/labels.js';
import { configName, galeraConfigName } from '../../../src/contract/names.js';
import { EXIT } from '../backup-job.js';
import type { BackupContract } from '../model/backup-contract.js';
import type { PodFacts } from '../model/facts.js';
import { parseJson, podFacts } from '../model/objects.js';
import type { Clock } from '../ports/clock.js';
import type { Exec } from '../ports/exec.js';
import { KubeError, type Kube, type KubeObject } from '../ports/kube.js';
import type { Pods } from '../ports/pods.js';

export interface RestorePorts {
  readonly kube: Kube;
  readonly pods: Pods;
  readonly exec: Exec;
  readonly clock: Clock;
  readonly say: (text: string) => void;
  readonly namespace: string;
}

/** Where an engine's members have what these commands ask. */
interface Place {
  readonly container: string;
  readonly script: string;
  /** The declaration, as members read it. */
  readonly config: { readonly map: string; readonly file: string };
  readonly isServing: (pod: PodFacts) => boolean;
}

function placeOf({ engine, cluster }: BackupContract): Place {
  if (engine === 'postgresql') {
    return {
      container: 'postgres', script: 'recovery.py', config: { map: configName(cluster), file: 'cluster.json' },
      isServing: ({ role, ready, deleting }) => role === 'primary' && ready && !deleting,
    };
  }
  return {
    container: GALERA_CONTAINER[engine], script: 'galera_replacement.py', config: { map: galeraConfigName(cluster), file: 'galera.json' },
    isServing: ({ ready, deleting }) => ready && !deleting,
  };
}

/** What the script tells of one volume (`state`). */
interface MemberState {
  readonly replacement: Replacement | null;
  /** It has not been through what is declared. */
  readonly waits: boolean;
  /** Of `before`, `rejected`, `accepted`: what lies beside the data. */
  readonly kept: readonly string[];
  /** What a Galera member does, and why. */
  readonly phase?: string;
  readonly because?: string;
}

interface Answer {
  readonly done: boolean;
  readonly lines: readonly string[];
}

const LOOK_MS = 1_000;
/** A look reads lists and the newest WAL files from the storage. */
const EXEC_MS = 120_000;
/** The kubelet brings a changed ConfigMap within its sync period and its cache's, 2 minutes in all; and half of it. */
const BROUGHT_MS = 180_000;

export class RestoreCommand {
  private said = '';
  private place!: Place;

  constructor(private readonly ports: RestorePorts, private readonly request: RestoreRequest) {}

  async run(signal: AbortSignal): Promise<number> {
    const { request } = this;
    const contract = await contractOf(this.ports.kube, this.ports.namespace, request.cluster);
    this.place = placeOf(contract);
    const members = contract.members.map(({ pod }) => pod);
    if ('to' in request) return this.look(members, request.to);
    if (request.command === 'accept') return this.accept(members, request.id);
    return this.execute(members, { name: request.id, putBack: request.command === 'reject' }, signal);
  }

  // ---- before anything is declared

  private async look(members: readonly string[], to: Moment): Promise<number> {
    const pod = await this.anyServer(members);
    const { done, lines } = await this.recovery(pod, 'look', JSON.stringify(to));
    lines.forEach((line) => this.ports.say(line.replace(/^everest: /, '')));
    if (!done) return EXIT.failed;
    this.ports.say(gitChange(this.request.cluster, this.ports.namespace, to));
    return EXIT.done;
  }

  private async anyServer(members: readonly string[]): Promise<string> {
    const pods = await this.podsOf(members);
    const found = pods.find(this.place.isServing) ?? pods.find(({ container }) => container === 'running');
    if (!found) throw new CommandError(`No member of ${this.request.cluster} runs, and the look is made in one: is the namespace right (-n)?`);
    return found.name;
  }

  // ---- what is declared

  private async execute(members: readonly string[], wanted: Replacement, signal: AbortSignal): Promise<number> {
    if (!await this.isDeclared(wanted)) return this.notDeclared(wanted);
    if (!await this.untilBrought(members, wanted, signal)) return signal.aborted ? INTERRUPTED : EXIT.failed;
    const states = await this.statesOf(members);
    if (states.includes(undefined)) throw new CommandError('A member does not answer any more. Nothing was ended.');
    if (states.every((state) => state?.waits === false)) return this.doneBefore(states, wanted);
    if (states.some((state) => state?.waits === false)) {
      this.ports.say(`${wanted.name} is under way.`);
      return this.follow(members, new Set(), signal);
    }
    if (!wanted.putBack && !await this.canBeReached(members[0]!)) return EXIT.failed;
    return this.restart(members, signal);
  }

  private doneBefore(states: ReadonlyArray<MemberState | undefined>, { name, putBack }: Replacement): number {
    if (!putBack || !states.some((state) => state?.kept.includes('accepted'))) {
      this.ports.say(`${name} is done on all members: it is done once for its name.`);
      return EXIT.done;
    }
    const gone = `What ${name} had set aside was removed when it was accepted: there is no way back.`;
    this.ports.say(`${gone} Take putBack out of the manifest again; the members go on with the data that they have.`);
    return EXIT.failed;
  }

  private async isDeclared({ name, putBack }: Replacement): Promise<boolean> {
    const { map, file } = this.place.config;
    const { data } = await this.ports.kube.get('configmaps', map) as { data?: Record<string, string> };
    const declared = parseJson(data?.[file])?.replacement as Replacement | undefined;
    return declared?.name === name && declared.putBack === putBack;
  }

  private notDeclared({ name, putBack }: Replacement): number {
    if (putBack) this.ports.say(wayBack(this.request.cluster, this.ports.namespace, name));
    else this.ports.say(notThere(this.request.cluster, this.ports.namespace, name));
    return EXIT.failed;
  }

  /** Pods see a changed ConfigMap late; a change of the Pod itself makes the kubelet look at once. */
  private async untilBrought(members: readonly string[], wanted: Replacement, signal: AbortSignal): Promise<boolean> {
    const { clock, kube } = this.ports;
    const end = clock.nowMs() + BROUGHT_MS;
    const hurry = { metadata: { annotations: { 'everest.io/looked-at': clock.wall().toISOString() } } };
    await Promise.all(members.map((pod) => kube.patch('pods', pod, hurry).catch(() => undefined)));
    while (!signal.aborted) {
      const states = await this.statesOf(members);
      const late = members.filter((_, index) => !isSame(states[index]?.replacement, wanted));
      if (late.length === 0) return true;
      if (clock.nowMs() > end) {
        this.ports.say(`${late.join(', ')} does not have the declaration after ${BROUGHT_MS / 1000} s, or cannot be asked: nothing was ended.`);
        return false;
      }
      this.once(`waiting until Kubernetes has brought the declaration to ${late.join(', ')}`);
      await clock.sleep(LOOK_MS, signal);
    }
    return false;
  }

  private async canBeReached(pod: string): Promise<boolean> {
    const { done, lines } = await this.recovery(pod, 'check');
    lines.forEach((line) => this.ports.say(line.replace(/^everest: /, '')));
    if (!done) this.ports.say('Nothing was ended.');
    return done;
  }

  private async restart(members: readonly string[], signal: AbortSignal): Promise<number> {
    const old = await this.podsOf(members);
    this.ports.say(`ending ${old.map(({ name }) => name).join(', ')}`);
    await Promise.all(old.map(({ name, uid }) => this.ports.pods.delete(name, uid)));
    return this.follow(members, new Set(old.map(({ uid }) => uid)), signal);
  }

  private async follow(members: readonly string[], old: ReadonlySet<string>, signal: AbortSignal): Promise<number> {
    while (!signal.aborted) {
      const objects = (await this.objectsOf(members)).filter(({ metadata }) => !old.has(metadata.uid ?? ''));
      const pods = objects.map(podFacts);
      const serving = pods.find(this.place.isServing);
      if (serving) {
        this.ports.say(`${serving.name} takes writes.${this.afterwards()}`);
        return EXIT.done;
      }
      await this.tellProgress(pods[0]);
      if (isAtTarget(objects[0])) return EXIT.done;
      await this.ports.clock.sleep(LOOK_MS, signal);
    }
    this.ports.say('The members go on by themselves.');
    return INTERRUPTED;
  }

  private async tellProgress(first: PodFacts | undefined): Promise<void> {
    if (!first) return;
    const asked = this.place.container === 'postgres' ? [] : await this.statesOf([first.name]);
    const text = first.waitingFor ?? asked[0]?.because;
    if (text) this.once(`${first.name}: ${text}`);
  }

  private afterwards(): string {
    const { cluster, command } = this.request;
    if (command === 'reject' || !('id' in this.request)) return '';
    return ` To keep it for good: kubectl everest accept ${cluster} --id ${this.request.id}; to go back: kubectl everest reject ${cluster} --id ${this.request.id}`;
  }

  // ---- for good

  private async accept(members: readonly string[], name: string): Promise<number> {
    const states = await this.statesOf(members);
    const other = members.find((_, index) => states[index]?.replacement?.name !== name);
    if (other) {
      throw new CommandError(`${other} knows no restore in place ${name}, or cannot be asked: its manifests have to declare it until it is accepted. Nothing was removed.`);
    }
    const waiting = members.find((_, index) => states[index]?.waits !== false);
    if (waiting) throw new CommandError(`${waiting} has not been through ${name}. Nothing was removed.`);
    const answers = await Promise.all(members.map((pod) => this.recovery(pod, 'accept')));
    answers.forEach(({ done, lines }, index) => {
      this.ports.say(`${members[index]}: ${lines.join(' ').replaceAll('everest: ', '') || (done ? 'nothing was set aside' : 'not done')}`);
    });
    return answers.every(({ done }) => done) ? EXIT.done : EXIT.failed;
  }

  // ---- members

  private async objectsOf(members: readonly string[]): Promise<KubeObject[]> {
    const ask = (pod: string) => this.ports.kube.get('pods', pod).catch(passing);
    return (await Promise.all(members.map(ask))).filter((pod) => pod !== undefined);
  }

  private async podsOf(members: readonly string[]): Promise<PodFacts[]> {
    return (await this.objectsOf(members)).map(podFacts);
  }

  /** Undefined: it cannot be asked now, such as while its container starts. */
  private async statesOf(members: readonly string[]): Promise<Array<MemberState | undefined>> {
    return Promise.all(members.map(async (pod) => {
      const answer = await this.recovery(pod, 'state').catch(passing);
      return answer?.done ? parseJson(answer.lines.at(-1)) as MemberState | undefined : undefined;
    }));
  }

  private async recovery(pod: string, ...command: readonly string[]): Promise<Answer> {
    const lines: string[] = [];
    const { container, script } = this.place;
    const call = { pod, container, command: ['python3', `/etc/everest/${script}`, ...command] };
    const end = await this.ports.exec.run(call, { line: (text) => void lines.push(text), limitMs: EXEC_MS });
    if (end.exitCode === undefined) return { done: false, lines: [...lines, `${pod} does not answer: ${end.why}`] };
    return { done: end.exitCode === 0, lines };
  }

  private once(text: string): void {
    if (text !== this.said) this.ports.say(text);
    this.said = text;
  }
}

/** A Pod that is not there now, or whose container does not run (400), or an API server that does not answer now. */
function passing(problem: unknown): undefined {
  const isPassing = problem instanceof KubeError && ([0, 400, 404].includes(problem.status) || problem.status >= 500);
  if (!isPassing) throw problem;
}

function isSame(declared: Replacement | null | undefined, wanted: Replacement): boolean {
  return declared?.name === wanted.name && declared.putBack === wanted.putBack;
}

/** The data wait to be looked at: what is next is a change in Git. */
function isAtTarget(pod: KubeObject | undefined): boolean {
  return parseJson(pod?.metadata.annotations?.[WAITING_ANNOTATION])?.atTarget === true;
}
