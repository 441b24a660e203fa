/** Backup mode of a member, held by a script in it for as long as it hears of whoever makes the snapshot. */
import { MEMBER_PATHS } from '../../../src/contract/backup.js';
import type { SnapshotFacts } from '../../../src/contract/snapshot.js';
import { parseJson } from '../model/objects.js';
import { parseSnapshotFacts } from '../model/snapshots.js';
import type { Exec, ExecEnd } from '../ports/exec.js';
import { KubeError } from '../ports/kube.js';

const CONTAINER = 'postgres';
/** So long without a word, the member ends it by itself: whoever makes the snapshot has died. */
const PATIENCE_S = 60;
const KEEP_MS = 15_000;
const WORD_LIMIT_MS = 30_000;
const ERRORS_KEPT = 20;

export interface Held {
  /** Undefined: it did not come to that, or the member left backup mode before its time. */
  readonly facts: SnapshotFacts | undefined;
  /** Why. */
  readonly said: string;
}

export class BackupMode {
  private facts: SnapshotFacts | undefined;
  private keptAtMs = -Infinity;
  private readonly errors: string[] = [];
  private ended: Held | undefined;
  private readonly ending: Promise<Held>;
  private tellBegun!: (begun: boolean) => void;
  /** False: it ended before. */
  readonly begun = new Promise<boolean>((resolve) => { this.tellBegun = resolve; });

  constructor(private readonly exec: Exec, private readonly pod: string, private readonly name: string,
    { limitMs, signal }: { readonly limitMs: number; readonly signal: AbortSignal }) {
    const command = this.script('hold', String(PATIENCE_S));
    const line = (text: string, stream: 'out' | 'err') => this.hear(text, stream);
    this.ending = exec.run(command, { line, limitMs, signal })
      .catch((problem: unknown): ExecEnd => {
        if (!(problem instanceof KubeError)) throw problem;
        return { exitCode: undefined, why: problem.message };
      })
      .then((end) => this.end(end));
  }

  /** Ended without the facts: what was made meanwhile is no backup. */
  get lost(): Held | undefined {
    return this.ended && !this.ended.facts ? this.ended : undefined;
  }

  async release(): Promise<Held> {
    if (this.ended) return this.ended;
    await this.speak('release');
    return this.ending;
  }

  /** From time to time: it is still needed. */
  async keep(nowMs: number): Promise<void> {
    if (nowMs - this.keptAtMs < KEEP_MS) return;
    this.keptAtMs = nowMs;
    await this.speak('keep');
  }

  private async speak(word: string): Promise<void> {
    const options = { line: () => undefined, limitMs: WORD_LIMIT_MS };
    await this.exec.run(this.script(word), options).catch((problem: unknown) => {
      if (!(problem instanceof KubeError)) throw problem;
    });
  }

  private script(word: string, ...more: string[]) {
    return { pod: this.pod, container: CONTAINER, command: ['python3', MEMBER_PATHS.snapshotScript, word, this.name, ...more] };
  }

  private hear(text: string, stream: 'out' | 'err'): void {
    const said = stream === 'out' ? parseJson(text) : undefined;
    if (said?.held !== undefined) this.tellBegun(true);
    if (said?.facts !== undefined) this.facts = parseSnapshotFacts(said.facts as Record<string, unknown>);
    if (stream === 'err') this.errors.push(text);
    if (this.errors.length > ERRORS_KEPT) this.errors.shift();
  }

  private end(end: ExecEnd): Held {
    const why = end.exitCode === undefined ? [end.why] : [];
    this.ended = { facts: end.exitCode === 0 ? this.facts : undefined, said: [...this.errors, ...why].join('\n') };
    this.tellBegun(false);
    return this.ended;
  }
}
