/** Catalogs -> facts. Read by the agent's superuser role, on the primary. */
import type { DeclaredDatabase, DeclaredRole } from '../../../src/contract/declared-sql.js';
import { granteesOf, schemasOf, OBJECTS } from '../decide/access-levels.js';
import type { DatabaseCatalog, DatabaseFacts, DefaultPrivilege, ExtensionFacts, MissingFacts, RoleFacts, SchemaFacts, ServerCatalog } from '../model/sql-catalog.js';
import type { SqlSession } from '../ports/sql.js';

/** An access list as JSON; `public` is everybody, which no role may be called. */
function privileges(acl: string, kind: 'd' | 'n', owner: string): string {
  return `(SELECT coalesce(json_agg(json_build_object('grantee', coalesce(g.rolname, 'public'), 'privilege', a.privilege_type)), '[]')
    FROM aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))) a LEFT JOIN pg_roles g ON g.oid = a.grantee)`;
}

const ROLES = `SELECT r.rolname AS name, r.rolcanlogin AS login, r.rolsuper OR r.rolreplication AS privileged, r.rolconnlimit AS "connectionLimit",
  r.rolpassword AS verifier,
  (SELECT coalesce(json_agg(g.rolname), '[]') FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid) AS "memberOf",
  (SELECT coalesce(json_object_agg(coalesce(d.datname, ''), substr(c, 6)), '{}')
    FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) c
    WHERE s.setrole = r.oid AND c LIKE 'role=%') AS "actsAs"
  FROM pg_authid r`;

const DATABASES = `SELECT d.datname AS name, pg_get_userbyid(d.datdba) AS owner, ${privileges('d.datacl', 'd', 'd.datdba')} AS privileges FROM pg_database d`;

const EXTENSIONS = 'SELECT e.extname AS name, e.extversion AS version, n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace';

const AVAILABLE = 'SELECT name, json_agg(version) AS versions FROM pg_available_extension_versions WHERE name = ANY($1) GROUP BY name';

const SCHEMAS = `SELECT n.nspname AS name, pg_get_userbyid(n.nspowner) AS owner, ${privileges('n.nspacl', 'n', 'n.nspowner')} AS privileges FROM pg_namespace n`;

/**
 * Views and foreign tables are tables to GRANT. What a role has by a membership or as a superuser is not missing. One
 * CASE, since PostgreSQL may ask about a table's privileges as a sequence's before it looks at its kind.
 */
const MISSING = `SELECT DISTINCT n.nspname AS schema, w.role, w.objects, w.privilege
  FROM json_to_recordset($1) AS w(role text, objects text, privilege text)
  JOIN pg_roles r ON r.rolname = w.role
  CROSS JOIN pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY($2) AND CASE
    WHEN w.objects = 'SEQUENCES' AND c.relkind = 'S' THEN NOT has_sequence_privilege(r.oid, c.oid, w.privilege)
    WHEN w.objects = 'TABLES' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') THEN NOT has_table_privilege(r.oid, c.oid, w.privilege)
    ELSE false END`;

const DEFAULTS = `SELECT pg_get_userbyid(d.defaclrole) AS creator, n.nspname AS schema, g.rolname AS grantee, a.privilege_type AS privilege,
  CASE d.defaclobjtype WHEN 'S' THEN 'SEQUENCES' ELSE 'TABLES' END AS objects
  FROM pg_default_acl d JOIN pg_namespace n ON n.oid = d.defaclnamespace, aclexplode(d.defaclacl) a JOIN pg_roles g ON g.oid = a.grantee
  WHERE d.defaclobjtype IN ('r', 'S')`;

async function rows<T>(session: SqlSession, text: string, values?: readonly unknown[]): Promise<T[]> {
  return (await session.query(text, values)) as unknown as T[];
}

/** A demoted server ends its sessions, so this holds as long as the session does. */
export async function isPrimary(session: SqlSession): Promise<boolean> {
  const [row] = await rows<{ primary: boolean }>(session, 'SELECT NOT pg_is_in_recovery() AS primary');
  return row?.primary === true;
}

export async function readServer(session: SqlSession): Promise<ServerCatalog> {
  return { roles: await rows<RoleFacts>(session, ROLES), databases: await rows<DatabaseFacts>(session, DATABASES) };
}

export async function readDatabase(session: SqlSession, database: DeclaredDatabase,
  roles: readonly DeclaredRole[]): Promise<DatabaseCatalog> {
  const wanted = granteesOf(database.name, roles).flatMap(({ role, level }) =>
    OBJECTS.flatMap((objects) => level[objects].map((privilege) => ({ role, objects, privilege }))));
  const extensions = database.extensions.map(({ name }) => name);
  const available = await rows<{ name: string; versions: string[] }>(session, AVAILABLE, [extensions]);
  const schemas = schemasOf(database).map(({ name }) => name);
  return {
    extensions: await rows<ExtensionFacts>(session, EXTENSIONS),
    available: Object.fromEntries(available.map(({ name, versions }) => [name, versions])),
    schemas: await rows<SchemaFacts>(session, SCHEMAS),
    missing: await rows<MissingFacts>(session, MISSING, [JSON.stringify(wanted), schemas]),
    defaults: await rows<DefaultPrivilege>(session, DEFAULTS),
  };
}
