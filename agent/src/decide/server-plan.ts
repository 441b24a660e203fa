/**
 * Declared roles and databases against what the server has: the statements that are missing, in an order in which each
 * can rely on those before it. Nothing is dropped, nobody but PUBLIC loses a privilege, and what belongs to somebody
 * else is reported.
 */
import { LEVELS } from './access-levels.js';
import { rotationLogins, type DeclaredDatabase, type DeclaredRole } from '../../../src/contract/declared-sql.js';
import { literal, quoted, type RoleFacts, type ServerCatalog, type SqlPlan, type SqlProblem, type SqlStep } from '../model/sql-catalog.js';

export interface Declared {
  readonly databases: readonly DeclaredDatabase[];
  readonly roles: readonly DeclaredRole[];
}

/** The role itself, and the logins that take turns for it. */
export function loginsOf({ name, rotation }: DeclaredRole): string[] {
  return rotation ? [name, ...rotationLogins(name)] : [name];
}

class Plan {
  readonly steps: SqlStep[] = [];
  readonly problems: SqlProblem[] = [];

  constructor(private readonly catalog: ServerCatalog) {}

  role(name: string): RoleFacts | undefined {
    return this.catalog.roles.find((role) => role.name === name);
  }

  database(name: string): ServerCatalog['databases'][number] | undefined {
    return this.catalog.databases.find((database) => database.name === name);
  }

  do(needed: boolean, what: string, sql: string): void {
    if (needed) this.steps.push({ what, sql });
  }

  membership(group: string, member: string): void {
    this.do(!this.role(member)?.memberOf.includes(group), `role ${member} in ${group}`, `GRANT ${quoted(group)} TO ${quoted(member)}`);
  }

  /** At login it becomes the other role, so that what it makes belongs to that one. */
  actsAs(login: string, role: string, database?: string): void {
    const where = database === undefined ? '' : ` IN DATABASE ${quoted(database)}`;
    const differs = this.role(login)?.actsAs[database ?? ''] !== role;
    this.do(differs, `role ${login} acts as ${role}`, `ALTER ROLE ${quoted(login)}${where} SET role = ${literal(role)}`);
  }
}

/** Makes the role, or brings it in step. */
function planLogin(plan: Plan, name: string, { login, connectionLimit }: DeclaredRole): void {
  const found = plan.role(name);
  const limit = connectionLimit === undefined ? '' : ` CONNECTION LIMIT ${connectionLimit}`;
  const word = login ? 'LOGIN' : 'NOLOGIN';
  plan.do(!found, `role ${name}`, `CREATE ROLE ${quoted(name)} ${word}${limit}`);
  if (!found) return;
  plan.do(found.login !== login, `role ${name} ${word}`, `ALTER ROLE ${quoted(name)} ${word}`);
  const differs = connectionLimit !== undefined && found.connectionLimit !== connectionLimit;
  plan.do(differs, `role ${name}${limit}`, `ALTER ROLE ${quoted(name)}${limit}`);
}

function planRole(plan: Plan, role: DeclaredRole): void {
  for (const login of loginsOf(role)) {
    planLogin(plan, login, role);
    if (login === role.name) continue;
    plan.membership(role.name, login);
    plan.actsAs(login, role.name);
  }
}

function planDatabase(plan: Plan, { name, owner }: DeclaredDatabase): void {
  const found = plan.database(name);
  plan.do(!found, `database ${name}`, `CREATE DATABASE ${quoted(name)} OWNER ${quoted(owner)}`);
  if (found && found.owner !== owner) {
    const fix = `by hand: ALTER DATABASE ${quoted(name)} OWNER TO ${quoted(owner)}`;
    const why = `it belongs to ${found.owner}, not to ${owner}, and is not given away; ${fix}`;
    plan.problems.push({ what: `database ${name}`, why });
  }
  const open = ['CONNECT', 'TEMPORARY'].filter((privilege) =>
    !found || found.privileges.some((each) => each.grantee === 'public' && each.privilege === privilege));
  plan.do(open.length > 0, `database ${name} closed to PUBLIC`, `REVOKE ${open.join(', ')} ON DATABASE ${quoted(name)} FROM PUBLIC`);
  grantOnDatabase(plan, name, owner, ['CONNECT', 'TEMPORARY']);
}

function grantOnDatabase(plan: Plan, database: string, role: string, wanted: readonly string[]): void {
  const has = plan.database(database)?.privileges.filter(({ grantee }) => grantee === role) ?? [];
  const lacks = wanted.filter((each) => !has.some(({ privilege }) => privilege === each));
  const sql = `GRANT ${lacks.join(', ')} ON DATABASE ${quoted(database)} TO ${quoted(role)}`;
  plan.do(lacks.length > 0, `role ${role} on database ${database}`, sql);
}

function planGrants(plan: Plan, role: DeclaredRole, databases: readonly DeclaredDatabase[]): void {
  for (const { database, access } of role.grants) {
    const owner = databases.find(({ name }) => name === database)?.owner;
    if (access !== 'owner') {
      grantOnDatabase(plan, database, role.name, LEVELS[access].database);
    } else if (owner !== undefined && owner !== role.name) {
      plan.membership(owner, role.name);
      loginsOf(role).forEach((login) => plan.actsAs(login, owner, database));
    }
  }
}

/** Roles that somebody else gave more than any declaration could: whatever is done to them is done by hand. */
function untouchable(roles: readonly DeclaredRole[], catalog: ServerCatalog): Set<string> {
  const privileged = new Set(catalog.roles.filter((role) => role.privileged).map(({ name }) => name));
  return new Set(roles.filter((role) => loginsOf(role).some((login) => privileged.has(login))).map(({ name }) => name));
}

/** What is declared, without such roles and what they own. */
export function touchable({ databases, roles }: Declared, catalog: ServerCatalog): Declared {
  const spared = untouchable(roles, catalog);
  return {
    databases: databases.filter(({ owner }) => !spared.has(owner)),
    roles: roles.filter(({ name }) => !spared.has(name))
      .map((role) => ({ ...role, inRoles: role.inRoles.filter((group) => !spared.has(group)) })),
  };
}

export function planServer(declared: Declared, catalog: ServerCatalog): SqlPlan {
  const plan = new Plan(catalog);
  const why = 'it exists with SUPERUSER or REPLICATION, and is not touched';
  untouchable(declared.roles, catalog).forEach((name) => plan.problems.push({ what: `role ${name}`, why }));
  const { databases, roles } = touchable(declared, catalog);
  roles.forEach((role) => planRole(plan, role));
  roles.forEach(({ name, inRoles }) => inRoles.forEach((group) => plan.membership(group, name)));
  databases.forEach((database) => planDatabase(plan, database));
  roles.forEach((role) => planGrants(plan, role, databases));
  return plan;
}
