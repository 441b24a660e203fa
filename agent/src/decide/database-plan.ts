/**
 * Declared schemas, extensions and grants of one database against what is in it. The same promises as in the server's
 * plan.
 */
import { granteesOf, OBJECTS, schemasOf, type Grantee } from './access-levels.js';
import type { DeclaredDatabase, DeclaredExtension, DeclaredRole } from '../../../src/contract/declared-sql.js';
import { literal, quoted, type DatabaseCatalog, type SqlPlan, type SqlProblem, type SqlStep } from '../model/sql-catalog.js';

interface Context {
  readonly database: DeclaredDatabase;
  readonly catalog: DatabaseCatalog;
  readonly steps: SqlStep[];
  readonly problems: SqlProblem[];
}

/** Owners of `public` in a new database; the members give it to the database's owner, and so does the agent. */
const NOBODY = ['pg_database_owner', 'postgres'];

function planPublic({ database, catalog, steps }: Context): void {
  const found = catalog.schemas.find(({ name }) => name === 'public');
  if (!found) return;
  const what = `schema public of ${database.name}`;
  if (found.privileges.some(({ grantee, privilege }) => grantee === 'public' && privilege === 'CREATE')) {
    steps.push({ what: `${what} closed to PUBLIC`, sql: 'REVOKE CREATE ON SCHEMA public FROM PUBLIC' });
  }
  if (NOBODY.includes(found.owner)) steps.push({ what, sql: `ALTER SCHEMA public OWNER TO ${quoted(database.owner)}` });
}

function planSchema({ database, catalog, steps, problems }: Context, name: string, owner: string): void {
  const found = catalog.schemas.find((schema) => schema.name === name);
  const what = `schema ${name} of ${database.name}`;
  if (!found) steps.push({ what, sql: `CREATE SCHEMA ${quoted(name)} AUTHORIZATION ${quoted(owner)}` });
  else if (found.owner !== owner) problems.push({ what, why: `it belongs to ${found.owner}, not to ${owner}, and is not given away` });
}

function unavailable(versions: readonly string[], { name, version }: DeclaredExtension): string | undefined {
  if (versions.length === 0) return `extension ${name} is not in the image`;
  return version === undefined || versions.includes(version) ? undefined : `the image has ${name} ${versions.join(', ')}, not ${version}`;
}

/** Without a schema it goes to `public`, unless its own control file says where. */
function creation({ name, version, schema }: DeclaredExtension): string {
  const place = schema === undefined ? '' : ` SCHEMA ${quoted(schema)}`;
  const exact = version === undefined ? '' : ` VERSION ${literal(version)}`;
  const search = schema === undefined ? 'SET LOCAL search_path = public; ' : '';
  return `${search}CREATE EXTENSION IF NOT EXISTS ${quoted(name)}${place}${exact} CASCADE`;
}

function planExtension({ database, catalog, steps, problems }: Context, wanted: DeclaredExtension): void {
  const { name, version, schema } = wanted;
  const what = `extension ${name} of ${database.name}`;
  const found = catalog.extensions.find((extension) => extension.name === name);
  const elsewhere = schema !== undefined && found && found.schema !== schema;
  if (elsewhere) problems.push({ what, why: `it is in schema ${found.schema}, not in ${schema}, and is not moved` });
  if (found && (version ?? found.version) === found.version) return;
  const why = unavailable(catalog.available[name] ?? [], wanted);
  const sql = found ? `ALTER EXTENSION ${quoted(name)} UPDATE TO ${literal(version!)}` : creation(wanted);
  if (why === undefined) steps.push({ what, sql });
  else problems.push({ what, why });
}

interface Place {
  readonly name: string;
  readonly owner: string;
}

/** On what is there now. */
function planPresent({ database, catalog, steps }: Context, { role, level }: Grantee, { name }: Place): void {
  const what = `role ${role} on schema ${name} of ${database.name}`;
  const [to, place] = [quoted(role), quoted(name)];
  const found = catalog.schemas.find((schema) => schema.name === name);
  const mayUse = found?.privileges.some(({ grantee, privilege }) => grantee === role && privilege === 'USAGE');
  if (!mayUse) steps.push({ what, sql: `GRANT USAGE ON SCHEMA ${place} TO ${to}` });
  for (const objects of OBJECTS) {
    const missing = catalog.missing.filter((each) =>
      each.role === role && each.schema === name && each.objects === objects);
    const lacks = level[objects].filter((privilege) => missing.some((each) => each.privilege === privilege));
    const sql = `GRANT ${lacks.join(', ')} ON ALL ${objects} IN SCHEMA ${place} TO ${to}`;
    if (lacks.length > 0) steps.push({ what, sql });
  }
}

/** On what the owners will make later. */
function planFuture({ database, catalog, steps }: Context, { role, level }: Grantee, { name, owner }: Place): void {
  for (const creator of new Set([database.owner, owner])) {
    const has = catalog.defaults.filter((each) =>
      each.creator === creator && each.schema === name && each.grantee === role);
    for (const objects of OBJECTS) {
      const lacks = level[objects].filter((privilege) =>
        !has.some((each) => each.objects === objects && each.privilege === privilege));
      const what = `role ${role} on later ${objects.toLowerCase()} of ${creator} in schema ${name} of ${database.name}`;
      const start = `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoted(creator)} IN SCHEMA ${quoted(name)}`;
      const sql = `${start} GRANT ${lacks.join(', ')} ON ${objects} TO ${quoted(role)}`;
      if (lacks.length > 0) steps.push({ what, sql });
    }
  }
}

export function planDatabase(database: DeclaredDatabase, roles: readonly DeclaredRole[],
  catalog: DatabaseCatalog): SqlPlan {
  const context: Context = { database, catalog, steps: [], problems: [] };
  planPublic(context);
  const schemas = schemasOf(database);
  schemas.filter(({ name }) => name !== 'public').forEach(({ name, owner }) => planSchema(context, name, owner));
  database.extensions.forEach((extension) => planExtension(context, extension));
  // Who dropped `public` has no use for grants on it.
  const there = schemas.filter(({ name }) => name !== 'public' || catalog.schemas.some((schema) => schema.name === name));
  granteesOf(database.name, roles).forEach((grantee) => there.forEach((schema) => {
    planPresent(context, grantee, schema);
    planFuture(context, grantee, schema);
  }));
  return context;
}
