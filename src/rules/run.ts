import type { Finding } from '../errors';
import type { Rule, RuleText, Violation } from './rule';
import { SHAPE_TEXTS } from './shape-texts';

/** A finding in the words of its rule, or in the place's own where it has some. */
export function findingOf(rule: RuleText, violation: Violation): Finding {
  return {
    code: rule.code,
    path: violation.path,
    problem: violation.problem,
    consequence: violation.consequence ?? rule.consequence,
    fix: violation.fix ?? rule.fix,
  };
}

/** All findings of all rules. A rule that throws is our fault, and never the end of the others. */
export function runRules<Input>(rules: ReadonlyArray<Rule<Input>>, input: Input): Finding[] {
  return rules.flatMap((rule) => {
    try {
      return rule.check(input).map((violation) => findingOf(rule, violation));
    } catch (error) {
      const problem = `the check ${rule.code} failed: ${error instanceof Error ? error.message : String(error)}`;
      return [findingOf(SHAPE_TEXTS.ourFault, { path: [], problem })];
    }
  });
}
