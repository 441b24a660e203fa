import type { AccessLevel, DeclaredDatabase, DeclaredRole, DeclaredSecret } from '../contract/declared-sql';
import { ownerSecretName } from '../contract/names';
import { POSTGRES_PORT } from '../contract/ports';
import type { PostgresDatabase } from '../database';
import type { PasswordRotation } from '../password-rotation';
import type { PostgresClusterProps } from '../postgres-cluster-props';
import type { PostgresRole } from '../role';

const DEFAULT_DATABASE = 'app';

/** An owner, as members make it. */
export interface ResolvedOwner {
  readonly role: string;
  readonly secret: string;
  readonly database: string;
}

function ownerOf({ name, owner }: PostgresDatabase): string {
  return owner ?? name;
}

function declaredDatabases({ databases }: PostgresClusterProps): PostgresDatabase[] {
  return databases ?? [{ name: DEFAULT_DATABASE }];
}

/** Databases with their owners; the first database of an owner is the one that its connection names. */
export function resolveDatabases(props: PostgresClusterProps): DeclaredDatabase[] {
  return declaredDatabases(props).map((database) => ({
    name: database.name,
    owner: ownerOf(database),
    extensions: (database.extensions ?? []).map((extension) => ({ ...extension })),
    schemas: (database.schemas ?? []).map(({ name, owner }) => ({ name, owner: owner ?? ownerOf(database) })),
  }));
}

export function resolveOwners(cluster: string, props: PostgresClusterProps): ResolvedOwner[] {
  const databases = resolveDatabases(props);
  return [...new Set(databases.map(({ owner }) => owner))].map((role) => ({
    role,
    secret: secretNameOf(cluster, props.roles?.find(({ name }) => name === role) ?? { name: role }),
    database: databases.find(({ owner }) => owner === role)!.name,
  }));
}

function secretNameOf(cluster: string, { name, secretName }: PostgresRole): string {
  return secretName ?? ownerSecretName(cluster, name);
}

/** In seconds; what is not given is not there. */
export function resolveRotation(rotation: PasswordRotation | undefined): DeclaredRole['rotation'] {
  return rotation && {
    everySeconds: rotation.interval?.toSeconds(),
    oldValidForSeconds: rotation.oldValidFor?.toSeconds(),
  };
}

/** What roles of one cluster share. */
interface RoleContext {
  readonly cluster: string;
  readonly host: string;
  readonly props: PostgresClusterProps;
  readonly databases: readonly DeclaredDatabase[];
}

function resolveSecret({ cluster, host, props, databases }: RoleContext, role: PostgresRole): DeclaredSecret {
  const own = databases.find(({ owner }) => owner === role.name)?.name;
  const granted = (role.grants ?? []).map(({ database }) => database);
  // Without any, the database that is always there.
  const [dbname = 'postgres'] = [...(own === undefined ? [] : [own]), ...granted, ...databases.map(({ name }) => name)];
  return {
    name: secretNameOf(cluster, role),
    fill: (props.credentials?.generates ?? true) && role.secretName === undefined,
    connection: { host, port: String(POSTGRES_PORT), dbname },
  };
}

function resolveRole(context: RoleContext, role: PostgresRole): DeclaredRole {
  const login = role.login ?? true;
  return {
    name: role.name,
    login,
    inRoles: [...role.inRoles ?? []],
    grants: (role.grants ?? []).map(({ database, access }) => ({ database, access: access.level as AccessLevel })),
    connectionLimit: role.connectionLimit,
    secret: login ? resolveSecret(context, role) : undefined,
    rotation: resolveRotation(role.rotation),
  };
}

/** Owners first, then the others, each once. */
export function resolveRoles(cluster: string, host: string, props: PostgresClusterProps): DeclaredRole[] {
  const databases = resolveDatabases(props);
  const context = { cluster, host, props, databases };
  const given = props.roles ?? [];
  const owners = [...new Set(databases.map(({ owner }) => owner))];
  const all = [
    ...owners.map((name) => given.find((role) => role.name === name) ?? { name }),
    ...given.filter(({ name }) => !owners.includes(name)),
  ];
  return all.map((role) => resolveRole(context, role));
}
