import type { ImageCatalog } from '../image-catalog';
import type { PostgresClusterProps } from '../postgres-cluster-props';
import type { GaleraInput } from '../resolve/galera';
import type { ResolvedGroup } from '../resolve/groups';

/** What the explanation of a code says; docs/reference/rules.md and `cdk8s-everest explain` are made of it. */
export interface RuleText {
  /** Stable code; never used again for something else. */
  readonly code: string;
  readonly title: string;
  /** When the rule speaks. */
  readonly cause: string;
  /** What would happen if it did not. */
  readonly consequence: string;
  /** What to change. */
  readonly fix: string;
}

/** One place where a rule is broken. */
export interface Violation {
  readonly path: Array<string | number>;
  /** What is wrong, with the value that was given. */
  readonly problem: string;
  /** In place of the rule's own, where the place knows more. */
  readonly consequence?: string;
  readonly fix?: string;
}

/** None where there is no problem. */
export function violation(path: Violation['path'], problem: string | undefined, fix?: string): Violation[] {
  return problem === undefined ? [] : [{ path, problem, ...(fix === undefined ? {} : { fix }) }];
}

/** A pure function from input to violations, and its explanation. */
export interface Rule<Input> extends RuleText {
  readonly check: (input: Input) => Violation[];
}

/** What rules about a PostgresCluster look at. The props have the right shape; nothing else is sure yet. */
export interface PostgresRuleInput {
  readonly clusterName: string;
  readonly namespace: string;
  readonly props: PostgresClusterProps;
  readonly catalog: ImageCatalog;
  /** Default group first. */
  readonly groups: readonly ResolvedGroup[];
  readonly members: number;
  /** Members that may become primary. */
  readonly promotable: number;
}

export type PostgresRule = Rule<PostgresRuleInput>;

/** What rules about a MariaDbCluster or PxcCluster look at. */
export type GaleraRuleInput = GaleraInput & {
  readonly clusterName: string;
  readonly namespace: string;
  readonly group: ResolvedGroup;
};

export type GaleraRule = Rule<GaleraRuleInput>;
