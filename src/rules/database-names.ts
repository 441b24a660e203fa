import { SQL_NAME } from './names';
import type { PostgresRule, Violation } from './rule';
import { resolveDatabases, SYSTEM_ROLES } from '../resolve/postgres';

const RESERVED_DATABASES = new Set(['postgres', 'template0', 'template1']);
/** `public` and `none` are keywords where roles stand; `credentials` would be the name of the cluster's own Secret. */
const RESERVED_OWNERS = new Set<string>([...Object.values(SYSTEM_ROLES), 'public', 'none', 'credentials']);

function nameProblem(kind: string, name: string, reserved: Set<string>): string | undefined {
  if (!SQL_NAME.test(name)) return `the ${kind} is ${JSON.stringify(name)}`;
  return reserved.has(name) || name.startsWith('pg_') ? `the ${kind} ${name} belongs to PostgreSQL or to the cluster itself` : undefined;
}

export const databaseNames: PostgresRule = {
  code: 'EV1307',
  title: 'A database or owner with a name that cannot be used',
  cause: 'A name in databases needs quotes in SQL, is reserved, or stands twice.',
  consequence: 'The first start of the cluster would fail',
  fix: 'Use a lower-case letter or "_", then letters, digits and "_", at most 63 characters, and each name once',
  check: ({ props }) => resolveDatabases(props).flatMap(({ name, owner }, index, all): Violation[] => {
    const path = ['databases', index];
    const problems = [
      [[...path, 'name'], nameProblem('database', name, RESERVED_DATABASES)] as const,
      [[...path, 'owner'], nameProblem('owner', owner, RESERVED_OWNERS)] as const,
      [[...path, 'name'], all.findIndex((other) => other.name === name) !== index ? `the database ${name} stands twice` : undefined] as const,
    ];
    return problems.flatMap(([at, problem]) => (problem ? [{ path: [...at], problem }] : []));
  }),
};
