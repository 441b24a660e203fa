/** Commands in the containers of members. */

export interface ExecCall {
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
}

export type Stream = 'out' | 'err';

export interface ExecOptions {
  /** Each whole line, as it comes. */
  readonly line: (text: string, stream: Stream) => void;
  readonly limitMs: number;
  /** The connection is given up; what the command does then is not known. */
  readonly signal?: AbortSignal;
}

/** How a command ended. */
export type ExecEnd =
  | { readonly exitCode: number }
  /** The connection broke, or the limit was reached: the command may still run. */
  | { readonly exitCode: undefined; readonly why: string };

export interface Exec {
  /** Rejects with a KubeError when the command was not started. */
  run(call: ExecCall, options: ExecOptions): Promise<ExecEnd>;
}
