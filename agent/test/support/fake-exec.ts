/** pgBackRest in members, as far as Jobs ask it: a test says what each command prints and how it ends. */
import type { Exec, ExecCall, ExecEnd, ExecOptions } from '../../src/ports/exec.js';

export interface Printing {
  readonly lines?: readonly string[];
  readonly errors?: readonly string[];
  /** Default: 0. */
  readonly end?: ExecEnd;
}

type Answer = (pod: string) => Printing;

export class FakeExec implements Exec {
  readonly ran: string[] = [];
  /** By the command's own word; one that is not there prints nothing. */
  readonly answers: Record<string, Answer> = {};

  async run({ pod, command }: ExecCall, { line }: ExecOptions): Promise<ExecEnd> {
    const word = command.find((part) => part in this.answers) ?? command.at(-1)!;
    this.ran.push(`${pod} ${word}`);
    const { lines = [], errors = [], end = { exitCode: 0 } } = this.answers[word]?.(pod) ?? {};
    lines.forEach((text) => line(text, 'out'));
    errors.forEach((text) => line(text, 'err'));
    return end;
  }
}
