import { rotationLogins, type DeclaredRotation } from '../contract/declared-sql';
import { ownerSecretName, primaryServiceName } from '../contract/names';
import { MYSQL_PORT } from '../contract/ports';
import type { GaleraClusterProps } from '../galera-cluster-props';
import type { GaleraRole } from '../galera-role';
import { resolveRotation } from './roles';

/** A user as galera_users.py keeps it. */
export interface GaleraUser {
  readonly role: string;
  readonly secret: string;
  readonly generate: boolean;
  readonly connection: { readonly host: string; readonly port: string; readonly dbname: string };
  /** Beside what it owns. */
  readonly grants?: Array<{ readonly database: string; readonly privileges: string }>;
  readonly connectionLimit?: number;
  readonly rotation?: DeclaredRotation;
  /** That take turns where the password rotates. */
  readonly logins?: string[];
}

type Databases = Array<{ readonly name: string; readonly owner: string }>;

/** What the levels of access are on all tables of a database. */
const PRIVILEGES: Readonly<Record<string, string>> = {
  readOnly: 'SELECT, SHOW VIEW',
  readWrite: 'SELECT, SHOW VIEW, INSERT, UPDATE, DELETE, EXECUTE, CREATE TEMPORARY TABLES',
  owner: 'ALL PRIVILEGES',
};

/** Databases with their owners; none given is one called `app`. */
export function galeraDatabases({ databases = [{ name: 'app' }] }: GaleraClusterProps): Databases {
  return databases.map(({ name, owner = name }) => ({ name, owner }));
}

function grantsOf({ name, grants = [], connectionLimit, rotation }: GaleraRole): Partial<GaleraUser> {
  return {
    ...(grants.length === 0 ? {}
      : { grants: grants.map(({ database, access }) => ({ database, privileges: PRIVILEGES[access.level]! })) }),
    ...(connectionLimit === undefined ? {} : { connectionLimit }),
    ...(rotation === undefined ? {} : { rotation: resolveRotation(rotation)!, logins: rotationLogins(name) }),
  };
}

/** Where it connects to: its own database, else one that it has rights on. */
function databaseOf({ name, grants = [] }: GaleraRole, databases: ReturnType<typeof galeraDatabases>): string {
  const own = databases.find(({ owner }) => owner === name);
  return own?.name ?? grants[0]?.database ?? databases[0]?.name ?? 'information_schema';
}

/** Owners of databases, and the other users. */
export function resolveUsers(cluster: string, namespace: string,
  props: GaleraClusterProps): { owners: GaleraUser[]; roles: GaleraUser[] } {
  const databases = galeraDatabases(props);
  const owners = [...new Set(databases.map(({ owner }) => owner))];
  const given = props.roles ?? [];
  const user = (role: GaleraRole): GaleraUser => ({
    role: role.name,
    secret: role.secretName ?? ownerSecretName(cluster, role.name),
    generate: (props.credentials?.generates ?? true) && role.secretName === undefined,
    connection: {
      host: `${primaryServiceName(cluster)}.${namespace}.svc`,
      port: String(MYSQL_PORT),
      dbname: databaseOf(role, databases),
    },
    ...grantsOf(role),
  });
  return {
    owners: owners.map((name) => user(given.find((role) => role.name === name) ?? { name })),
    roles: given.filter(({ name }) => !owners.includes(name)).map(user),
  };
}
