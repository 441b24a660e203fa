/** What a suite is: a named list of events, each with a function that causes it and measures it. */
import type { ClusterApi } from './cluster-api';
import type { NodeFaults } from './faults';

export interface Sample {
  /** What the event's goal is about: mostly the longest time without an acknowledged write. */
  readonly seconds: number;
  /** Acknowledged rows that were missing afterwards. */
  readonly lost?: number;
  /** Statements or connections that failed for the client meanwhile. */
  readonly errors?: number;
  /** Other things worth knowing, for people (stderr). */
  readonly note?: string;
}

/** Thrown by an event that cannot be tried here; the reason is reported, and it counts as skipped. */
export class Skip extends Error {}

export interface Reporter {
  progress(text: string): void;
  /** A figure that is no event of its own, such as a baseline; printed as one more JSON line. */
  figure(event: string, samples: Sample[]): void;
}

export interface SuiteContext {
  readonly api: ClusterApi;
  readonly faults: NodeFaults;
  readonly reporter: Reporter;
  readonly runs: number;
}

export interface SuiteEvent {
  readonly name: string;
  /**
   * Upper bound of the median in seconds, or a function of what was measured before; none means only correctness
   * counts.
   */
  readonly goal?: number | (() => number | undefined);
  /** Acknowledged rows that may be missing; 0 unless the event's kind of failure allows it. */
  readonly mayLose?: boolean;
  run(context: SuiteContext, run: number): Promise<Sample>;
}

export interface Suite {
  readonly name: string;
  readonly events: readonly SuiteEvent[];
  setUp?(context: SuiteContext): Promise<void>;
  /** Called whatever happened; takes away what the suite made. */
  tearDown?(context: SuiteContext): Promise<void>;
}
