/** What a suite is: a named list of events, each with a function that causes it and measures it. */
import type { ClusterApi } from './cluster-api';
import type { NodeFaults } from './faults';

/** Upper bounds of what is measured, in its unit; what is missing is not judged. */
export interface Goal {
  readonly p50?: number;
  readonly max?: number;
}

/** What a figure is, for whoever reads the report. */
export interface Measure {
  /** Completes "p50 and max of …". */
  readonly what: string;
  /** `s` where none is given. */
  readonly unit?: string;
  readonly goal?: Goal | (() => Goal | undefined);
}

export interface Sample {
  /** What the event's goal is about, in the unit of its measure: mostly the longest time without a write. */
  readonly value: number;
  /** Acknowledged rows that were looked for afterwards. */
  readonly acked?: number;
  /** Acknowledged rows that were missing afterwards. */
  readonly lost?: number;
  /** Statements or connections that failed for the client meanwhile. */
  readonly errors?: number;
  /** Other things that were measured on the way, by the names in the event's `figures`. */
  readonly figures?: Readonly<Record<string, number>>;
  /** Other things worth knowing, for people (stderr). */
  readonly note?: string;
}

/** Thrown by an event that cannot be tried here; the reason is reported, and it counts as skipped. */
export class Skip extends Error {}

export interface Reporter {
  progress(text: string): void;
  /** A figure that is no event of its own, such as a baseline; printed as one more JSON line. */
  figure(event: string, measure: Measure, samples: readonly Sample[]): void;
}

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
