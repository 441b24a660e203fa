/** What a suite is: a named list of events, each with a function that causes it and measures it. */
import type { ClusterApi } from './cluster-api';
import type { NodeFaults } from './faults';
import type { Measure, Reporter, Sample } from './measure';

export type { Goal, Measure, Reporter, Sample } from './measure';

/** Thrown by an event that cannot be tried here; the reason is reported, and it counts as skipped. */
export class Skip extends Error {}

export interface SuiteContext {
  readonly api: ClusterApi;
  readonly faults: NodeFaults;
  readonly reporter: Reporter;
  readonly runs: number;
}

export interface SuiteEvent {
  readonly name: string;
  readonly measure: Measure;
  /** Measures of `Sample.figures`, reported as `<event>.<name>`. */
  readonly figures?: Readonly<Record<string, Measure>>;
  /** Acknowledged rows that may be missing; 0 unless the event's kind of failure allows it. */
  readonly mayLose?: boolean;
  /** A single error of a client fails the event. */
  readonly noErrors?: boolean;
  /** Runs once whatever --runs says: what it measures does not vary, or costs too much. */
  readonly once?: boolean;
  run(context: SuiteContext, run: number): Promise<Sample>;
}

export interface Suite {
  readonly name: string;
  readonly events: readonly SuiteEvent[];
  setUp?(context: SuiteContext): Promise<void>;
  /** What a person would look at first, after a run has failed. */
  diagnose?(context: SuiteContext): Promise<string>;
  /** Called whatever happened; takes away what the suite made. */
  tearDown?(context: SuiteContext): Promise<void>;
}
