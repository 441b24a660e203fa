import { roleNameProblem } from './database-names';
import { SQL_NAME } from './names';
import { violation, type PostgresRule, type Violation } from './rule';
import { rotationLogins } from '../contract/declared-sql';
import type { PostgresDatabase } from '../database';
import type { PostgresClusterProps } from '../postgres-cluster-props';
import { resolveDatabases } from '../resolve/roles';
import type { PostgresRole } from '../role';

/** Roles of PostgreSQL that give less than a superuser has. The ones that run programs or read files do not. */
const HARMLESS_ROLES = [
  'pg_checkpoint', 'pg_create_subscription', 'pg_maintain', 'pg_monitor', 'pg_read_all_data', 'pg_read_all_settings', 'pg_read_all_stats',
  'pg_signal_backend', 'pg_stat_scan_tables', 'pg_use_reserved_connections', 'pg_write_all_data',
];
const LIMIT_FIX = 'Use a whole number from 0, or -1 for no limit';

type Path = Array<string | number>;

interface Names {
  readonly roles: readonly PostgresRole[];
  readonly owners: readonly string[];
  readonly databases: readonly string[];
  /** Owners and declared roles. */
  readonly known: readonly string[];
}

function namesOf(props: PostgresClusterProps): Names {
  const databases = resolveDatabases(props);
  const roles = props.roles ?? [];
  const owners = databases.map(({ owner }) => owner);
  const known = [...owners, ...roles.map(({ name }) => name)];
  return { roles, owners, databases: databases.map(({ name }) => name), known };
}

function nameProblem({ name }: PostgresRole, index: number, { roles }: Names): string | undefined {
  const first = roles.findIndex((other) => other.name === name) === index;
  return roleNameProblem('role', name) ?? (first ? undefined : `the role ${name} stands twice`);
}

/** The logins of a rotation are roles as well. */
function loginProblem({ name, rotation }: PostgresRole, { known }: Names): string | undefined {
  if (!rotation) return undefined;
  const logins = rotationLogins(name);
  if (logins.some((login) => !SQL_NAME.test(login))) return `the name ${name} leaves no room for the logins ${logins.join(' and ')}`;
  const taken = logins.find((login) => known.includes(login));
  return taken && `${taken}, a login of the rotation of ${name}, is declared as a role of its own`;
}

function noLoginProblem({ name, login, rotation, secretName }: PostgresRole, { owners }: Names): string | undefined {
  if (login !== false) return undefined;
  if (owners.includes(name)) return `${name} owns a database, and members make its login with the cluster`;
  return rotation || secretName !== undefined ? `${name} does not log in, and so it has no password` : undefined;
}

/** Everything that a role is a member of, directly or not. */
function groupsOf(name: string, roles: readonly PostgresRole[], seen = new Set<string>()): Set<string> {
  for (const group of roles.find((role) => role.name === name)?.inRoles ?? []) {
    if (!seen.has(group)) groupsOf(group, roles, seen.add(group));
  }
  return seen;
}

function membership(role: PostgresRole, path: Path, names: Names): Violation[] {
  const known = [...names.known, ...HARMLESS_ROLES];
  const unknown = (role.inRoles ?? []).flatMap((group, index) => violation([...path, 'inRoles', index],
    known.includes(group) ? undefined : `the role ${group} is neither declared nor one of ${HARMLESS_ROLES.join(', ')}`));
  return unknown.length > 0 || !groupsOf(role.name, names.roles).has(role.name) ? unknown : violation([...path, 'inRoles'], `${role.name} would be a member of itself`);
}

function grants(role: PostgresRole, path: Path, names: Names): Violation[] {
  const list = role.grants ?? [];
  return list.flatMap(({ database }, index) => {
    const twice = list.findIndex((other) => other.database === database) !== index;
    const problem = names.databases.includes(database) ? undefined : `there is no database ${JSON.stringify(database)}`;
    return violation([...path, 'grants', index, 'database'], problem ?? (twice ? `the database ${database} stands twice` : undefined));
  });
}

function limitProblem({ connectionLimit = -1 }: PostgresRole): string | undefined {
  return Number.isInteger(connectionLimit) && connectionLimit >= -1 ? undefined : `connectionLimit is ${connectionLimit}`;
}

function roleViolations(role: PostgresRole, index: number, names: Names): Violation[] {
  const path = ['roles', index];
  return [
    ...violation([...path, 'name'], nameProblem(role, index, names)),
    ...violation([...path, 'rotation'], loginProblem(role, names)),
    ...violation([...path, 'login'], noLoginProblem(role, names)),
    ...violation([...path, 'connectionLimit'], limitProblem(role), LIMIT_FIX),
    ...membership(role, path, names),
    ...grants(role, path, names),
  ];
}

function schemaProblem(name: string): string | undefined {
  if (!SQL_NAME.test(name)) return `the schema is ${JSON.stringify(name)}`;
  if (name === 'public') return 'the schema public is there in every database and belongs to its owner';
  return name.startsWith('pg_') || name === 'information_schema' ? `the schema ${name} belongs to PostgreSQL` : undefined;
}

function stranger(owner: string, known: readonly string[]): string | undefined {
  return known.includes(owner) ? undefined : `the owner ${owner} is neither an owner of a database nor one of roles`;
}

function schemasOf({ schemas = [] }: PostgresDatabase, path: Path, known: readonly string[]): Violation[] {
  return schemas.flatMap(({ name, owner }, index) => {
    const twice = schemas.findIndex((other) => other.name === name) !== index;
    return [
      ...violation([...path, index, 'name'], schemaProblem(name) ?? (twice ? `the schema ${name} stands twice` : undefined)),
      ...violation([...path, index, 'owner'], owner === undefined ? undefined : stranger(owner, known)),
    ];
  });
}

export const rolesValid: PostgresRule = {
  code: 'EV1308',
  title: 'A role or schema that cannot be made as declared',
  cause: 'In roles or schemas a name needs quotes in SQL, is reserved or stands twice, something is named that is not declared, or two parts of one role contradict each other.',
  consequence: 'The agent could never bring the server in step with the declaration',
  fix: 'Use a lower-case letter or "_", then letters, digits and "_", each name once, and name only what is declared',
  check: ({ props }) => {
    const names = namesOf(props);
    const schemas = (props.databases ?? [])
      .flatMap((database, index) => schemasOf(database, ['databases', index, 'schemas'], names.known));
    return [...names.roles.flatMap((role, index) => roleViolations(role, index, names)), ...schemas];
  },
};
