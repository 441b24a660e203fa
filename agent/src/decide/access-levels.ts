/** What an access level means, privilege by privilege: one table for the plan and for what is read of the catalogs. */
import type { AccessLevel, DeclaredDatabase, DeclaredRole } from '../../../src/contract/declared-sql.js';

interface Level {
  readonly database: readonly string[];
  readonly TABLES: readonly string[];
  readonly SEQUENCES: readonly string[];
}

/** `owner` is a membership, not a list of privileges. */
export const LEVELS: Readonly<Record<Exclude<AccessLevel, 'owner'>, Level>> = {
  readOnly: { database: ['CONNECT'], TABLES: ['SELECT'], SEQUENCES: ['SELECT'] },
  readWrite: { database: ['CONNECT', 'TEMPORARY'], TABLES: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'], SEQUENCES: ['SELECT', 'USAGE', 'UPDATE'] },
};

export const OBJECTS = ['TABLES', 'SEQUENCES'] as const;

/** A role with privileges of its own in a database. */
export interface Grantee {
  readonly role: string;
  readonly level: Level;
}

export function granteesOf(database: string, roles: readonly DeclaredRole[]): Grantee[] {
  return roles.flatMap(({ name, grants }) => grants.flatMap((grant) =>
    (grant.database === database && grant.access !== 'owner' ? [{ role: name, level: LEVELS[grant.access] }] : [])));
}

/** Schemas that grants are about, with their owners: `public`, the declared ones, and those of extensions. */
export function schemasOf({ owner, schemas, extensions }: DeclaredDatabase): Array<{ name: string; owner: string }> {
  const named = [{ name: 'public', owner }, ...schemas, ...extensions.flatMap(({ schema }) => (schema === undefined ? [] : [{ name: schema, owner }]))];
  return named.filter(({ name }, index) => named.findIndex((other) => other.name === name) === index);
}
