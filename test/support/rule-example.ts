import { findingsOf, someProps } from './cluster';
import type { PostgresClusterProps } from '../../src';
import { EverestError, type Finding } from '../../src/errors';

/** A mistake, what it is about, and the same thing done right. */
export interface RuleExample {
  readonly code: string;
  /** Completes "… is refused:". */
  readonly mistake: string;
  /** Where the finding points to, as a person reads it. */
  readonly at: string;
  readonly bad: () => readonly Finding[];
  /** The nearest input that is right. */
  readonly good: () => readonly Finding[];
}

export type Loose = { readonly [prop in keyof PostgresClusterProps]?: unknown } & { readonly [prop: string]: unknown };

/** An example with props of a cluster; right props may need more than the bad ones differ in. */
export function props(code: string, mistake: string, at: string,
  inputs: { readonly bad: Loose; readonly good: Loose }): RuleExample {
  return {
    code, mistake, at, bad: () => findingsOf({ ...someProps(), ...inputs.bad }),
    good: () => findingsOf({ ...someProps(), ...inputs.good }),
  };
}

/** The findings of something that throws an EverestError; none where it does not. */
export function findingsOfCall(run: () => unknown): readonly Finding[] {
  try {
    run();
    return [];
  } catch (error) {
    if (error instanceof EverestError) return error.findings;
    throw error;
  }
}
