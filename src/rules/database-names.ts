import { SQL_NAME } from './names';
import type { PostgresRule, Violation } from './rule';
import { AGENT_ROLE, POOLER_ROLE, SYSTEM_ROLES } from '../resolve/postgres';
import { resolveDatabases } from '../resolve/roles';

const RESERVED_DATABASES = new Set(['postgres', 'template0', 'template1']);
/** `public` and `none` are keywords where roles stand; `credentials` would be the name of the cluster's own Secret. */
const RESERVED_ROLES = new Set<string>([...Object.values(SYSTEM_ROLES), POOLER_ROLE, AGENT_ROLE, 'public', 'none', 'credentials']);

function nameProblem(kind: string, name: string, reserved: Set<string>): string | undefined {
  if (!SQL_NAME.test(name)) return `the ${kind} is ${JSON.stringify(name)}`;
  if (!reserved.has(name) && !name.startsWith('pg_')) return undefined;
  return `the ${kind} ${name} belongs to PostgreSQL or to the cluster itself`;
}

/** A role's Secret carries its name, with `-` for `_`, and no object's name may end with `-`. */
export function roleNameProblem(kind: string, name: string): string | undefined {
  const problem = nameProblem(kind, name, RESERVED_ROLES);
  return problem ?? (name.endsWith('_') ? `the ${kind} ${name} ends with "_", and so no Secret can be named after it` : undefined);
}

function databaseProblem(name: string, first: boolean): string | undefined {
  return nameProblem('database', name, RESERVED_DATABASES) ?? (first ? undefined : `the database ${name} stands twice`);
}

export const databaseNames: PostgresRule = {
  code: 'EV1307',
  title: 'A database or owner with a name that cannot be used',
  cause: 'A name in databases needs quotes in SQL, is reserved, stands twice, or (owners) ends with "_".',
  consequence: 'The first start of the cluster would fail',
  fix: 'Use a lower-case letter or "_", then letters, digits and "_", at most 63 characters, and each name once',
  check: ({ props }) => resolveDatabases(props).flatMap(({ name, owner }, index, all): Violation[] => {
    const path = ['databases', index];
    const first = all.findIndex((other) => other.name === name) === index;
    const problems = { name: databaseProblem(name, first), owner: roleNameProblem('owner', owner) };
    return Object.entries(problems)
      .flatMap(([field, problem]) => (problem ? [{ path: [...path, field], problem }] : []));
  }),
};
