import type { PostgresRule, Violation } from './rule';

const TYPES = new Set(['local', 'host', 'hostssl', 'hostnossl', 'hostgssenc', 'hostnogssenc']);
const METHODS = new Set(['scram-sha-256', 'md5', 'reject', 'cert', 'peer', 'ldap', 'gss', 'radius', 'pam', 'trust', 'password', 'ident', 'bsd', 'sspi']);
const OPEN = new Set(['trust', 'password', 'ident']);

function methodOf(words: string[]): string | undefined {
  const local = words[0] === 'local';
  const fixed = local ? words[3] : words[4];
  // An address and a mask as two words push the method one further.
  return fixed && METHODS.has(fixed)
    ? fixed : (local ? undefined : [words[5]].find((word) => word !== undefined && METHODS.has(word)));
}

function checkLine(line: string, index: number): Violation[] {
  const path = ['pgHba', index];
  const words = line.trim().split(/\s+/);
  if (/[\n\r]/.test(line) || !TYPES.has(words[0]!)) {
    return [{ path, problem: `${JSON.stringify(line)} does not start with a connection type (${[...TYPES].join(', ')}) or is not one line` }];
  }
  const method = methodOf(words);
  if (!method) return [{ path, problem: `${JSON.stringify(line)} names no known method` }];
  return !OPEN.has(method) ? [] : [{
    path,
    problem: `the method ${method} asks for no password, or for one in clear text`,
    consequence: 'Whoever reaches the port would be whatever role they name',
    fix: 'Use scram-sha-256 or cert',
  }];
}

export const hbaValid: PostgresRule = {
  code: 'EV1305',
  title: 'A line of pg_hba.conf that PostgreSQL would refuse, or that lets everybody in',
  cause: 'A line of pgHba has an unknown type or method, or trust, password or ident as its method.',
  consequence: 'PostgreSQL keeps the old rules when one line is wrong, and a new member would not start',
  fix: 'Write type, database, role, address and method: "hostssl all app 10.0.0.0/8 scram-sha-256"',
  check: ({ props }) => (props.pgHba ?? []).flatMap(checkLine),
};
