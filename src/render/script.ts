import { readFileSync } from 'node:fs';
import { join } from 'node:path';

let memberScript: string | undefined;

/** member.py as it lies beside this file in the package. */
export function renderMemberScript(): string {
  memberScript ??= readFileSync(join(__dirname, 'scripts', 'member.py'), 'utf8');
  return memberScript;
}
