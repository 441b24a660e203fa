import type { PasswordRotation } from './password-rotation';

/** What a role may do in a database. */
export class DatabaseAccess {
  /** Connect, and read tables, views and sequences of `public` and of the declared schemas, future ones included. */
  public static readOnly(): DatabaseAccess {
    return new DatabaseAccess('readOnly');
  }

  /** The same, and insert, update, delete, draw from sequences and make temporary tables. No change of the schema. */
  public static readWrite(): DatabaseAccess {
    return new DatabaseAccess('readWrite');
  }

  /** Act as the owner: what the role makes in this database belongs to the owner, not to the role. For migrations. */
  public static owner(): DatabaseAccess {
    return new DatabaseAccess('owner');
  }

  private constructor(
    /** `readOnly`, `readWrite` or `owner`. */
    public readonly level: string,
  ) {}
}

/** One database that a role may use. */
export interface PostgresGrant {
  /** One of `databases`. */
  readonly database: string;

  /** What the role may do there. Objects that the database's owner makes later are covered. */
  readonly access: DatabaseAccess;
}

/**
 * A role of the database server, kept as declared by the agent. Nothing is dropped or taken away: what is removed here
 * stays in the server until somebody drops it. A role that exists as a superuser is never touched.
 */
export interface PostgresRole {
  /**
   * Name of the role: a lower-case letter or `_`, then letters, digits, `_`; at most 63 characters. An owner of a
   * database may be named to give it more than its defaults, such as a rotation.
   */
  readonly name: string;

  /**
   * May log in, with the connection in the Secret `<cluster>-<name>`. With false there is no Secret: a role to be
   * granted to others.
   *
   * @default true
   */
  readonly login?: boolean;

  /**
   * Roles that it is a member of: others of `roles`, owners, or harmless ones of PostgreSQL such as `pg_monitor`.
   *
   * @default - none
   */
  readonly inRoles?: string[];

  /**
   * Databases that it may use.
   *
   * @default - none
   */
  readonly grants?: PostgresGrant[];

  /**
   * Most connections at a time; -1 for no limit. With a rotation it holds for each of the two logins.
   *
   * @default - left as it is in the server; a new role has no limit
   */
  readonly connectionLimit?: number;

  /**
   * Existing Secret with the key `password`. It is only read: a change of it reaches the server within half a minute.
   *
   * @default - `<cluster>-<name>`, filled by the agent where the cluster's credentials are generated
   */
  readonly secretName?: string;

  /**
   * Replaces the password now and then, in a way that applications survive.
   *
   * @default - the password stays until somebody changes the Secret
   */
  readonly rotation?: PasswordRotation;
}
