/** What is measured, and what it is measured against. Values only. */

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

export interface Reporter {
  progress(text: string): void;
  /** A figure that is no event of its own, such as a baseline; printed as one more JSON line. */
  figure(event: string, measure: Measure, samples: readonly Sample[]): void;
}
