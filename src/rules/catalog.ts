import { agentValid } from './agent-valid';
import { repositoryTaken, storageUnknown } from './backup-valid';
import { GALERA_RULES } from './galera-rules';
import { poolerValid } from './pooler-valid';
import { POSTGRES_RULES } from './postgres-rules';
import type { RuleText } from './rule';
import { SHAPE_TEXTS } from './shape-texts';

/** Every code and its explanation, in order. */
export function ruleCatalog(): RuleText[] {
  // Schedules of backups and of drills have rules in common.
  const rules = [...new Map(POSTGRES_RULES.map((rule) => [rule.code, rule])).values()];
  const others = [...GALERA_RULES, poolerValid, agentValid, repositoryTaken, storageUnknown];
  return [...Object.values(SHAPE_TEXTS), ...rules, ...others].sort((a, b) => a.code.localeCompare(b.code, 'en'));
}

/** The explanation of one code, however its letters are written. */
export function findRule(code: string): RuleText | undefined {
  return ruleCatalog().find((rule) => rule.code === code.trim().toUpperCase());
}

/** An explanation as text for a terminal or a page. */
export function renderRule(rule: RuleText): string {
  return [
    `${rule.code}: ${rule.title}`, '',
    `Cause:       ${rule.cause}`,
    `Consequence: ${rule.consequence}${/[.!?]$/.test(rule.consequence) ? '' : '.'}`,
    `Fix:         ${rule.fix}${/[.!?]$/.test(rule.fix) ? '' : '.'}`, '',
  ].join('\n');
}
