/** What the catalogs of a server say, as far as declarations are about it. */

export interface RoleFacts {
  readonly name: string;
  readonly login: boolean;
  /** Superuser or replication: never touched. */
  readonly privileged: boolean;
  /** -1: none. */
  readonly connectionLimit: number;
  readonly verifier: string | undefined;
  readonly memberOf: readonly string[];
  /** `SET role` at login, by database; '' stands for all of them. */
  readonly actsAs: Readonly<Record<string, string>>;
}

/** One privilege of an access list. The grantee `public` stands for everybody. */
export interface Privilege {
  readonly grantee: string;
  readonly privilege: string;
}

export interface DatabaseFacts {
  readonly name: string;
  readonly owner: string;
  readonly privileges: readonly Privilege[];
}

export interface ServerCatalog {
  readonly roles: readonly RoleFacts[];
  readonly databases: readonly DatabaseFacts[];
}

export interface SchemaFacts {
  readonly name: string;
  readonly owner: string;
  readonly privileges: readonly Privilege[];
}

export interface ExtensionFacts {
  readonly name: string;
  readonly version: string;
  readonly schema: string;
}

/** A role that lacks a privilege on something in a schema. */
export interface MissingFacts {
  readonly schema: string;
  readonly role: string;
  readonly objects: 'TABLES' | 'SEQUENCES';
  readonly privilege: string;
}

/** ALTER DEFAULT PRIVILEGES, as it stands. */
export interface DefaultPrivilege extends Privilege {
  /** Whose new objects it is about. */
  readonly creator: string;
  readonly schema: string;
  readonly objects: 'TABLES' | 'SEQUENCES';
}

/** Of one database. */
export interface DatabaseCatalog {
  readonly extensions: readonly ExtensionFacts[];
  /** Versions that the image has, of the extensions that are declared. */
  readonly available: Readonly<Record<string, readonly string[]>>;
  readonly schemas: readonly SchemaFacts[];
  readonly missing: readonly MissingFacts[];
  readonly defaults: readonly DefaultPrivilege[];
}

/** One statement. Each stands for itself: when one fails, the others are still right. */
export interface SqlStep {
  /** In words, for people: `role reporting`. */
  readonly what: string;
  readonly sql: string;
}

/** Something that is not as declared and that the agent does not bring about. */
export interface SqlProblem {
  readonly what: string;
  readonly why: string;
}

export interface SqlPlan {
  readonly steps: readonly SqlStep[];
  readonly problems: readonly SqlProblem[];
}

/** An identifier in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text in SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
