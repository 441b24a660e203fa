/** A signal that aborts when something does not come in time, or when the outer one does. */
export class Deadline {
  readonly signal: AbortSignal;
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(outer?: AbortSignal) {
    this.signal = outer ? AbortSignal.any([outer, this.controller.signal]) : this.controller.signal;
  }

  /** From now on; what was set before no longer counts. */
  within(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.controller.abort(new Error(`within ${milliseconds} ms`)), milliseconds);
  }

  /** Nothing is waited for any more; what still runs under the signal is ended. */
  end(): void {
    clearTimeout(this.timer);
    this.controller.abort();
  }

  /** Why something under the signal failed: streams only say that they were aborted. */
  cause(problem: unknown): Error {
    return this.signal.aborted ? this.signal.reason as Error : problem as Error;
  }
}
