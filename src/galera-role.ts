import type { PasswordRotation } from './password-rotation';
import type { DatabaseAccess } from './role';

/** One database that a user may use. */
export interface GaleraGrant {
  /** One of `databases`. */
  readonly database: string;

  /**
   * What the user may do there, in all tables, later ones included. `readOnly`: SELECT, SHOW VIEW. `readWrite`: these,
   * INSERT, UPDATE, DELETE, EXECUTE and temporary tables. `owner`: everything, as the database's owner.
   */
  readonly access: DatabaseAccess;
}

/**
 * A user of a Galera cluster, kept by the member that takes the writes: made where it is missing, with the password of
 * its Secret and at least the declared rights. Nothing is dropped or taken away: a user that is removed here, and
 * rights that are, stay in the server until somebody drops them. On a living cluster a change takes effect within two
 * minutes, and nothing restarts.
 */
export interface GaleraRole {
  /**
   * Name of the user: a lower-case letter or `_`, then letters, digits, `_`; at most 32 characters, the most that MySQL
   * takes. An owner of a database may be named to give it more.
   */
  readonly name: string;

  /**
   * Databases that it may use.
   *
   * @default - none
   */
  readonly grants?: GaleraGrant[];

  /**
   * Most connections of the user at a time, on each member; 0 for no limit. With a rotation it holds for each of the
   * two users.
   *
   * @default - left as it is in the server; a new user has no limit
   */
  readonly connectionLimit?: number;

  /**
   * Existing Secret with the key `password`. It is only read: a change of it reaches the server within a minute.
   *
   * @default - `<cluster>-<name>`, filled by a member where the cluster's credentials are generated
   */
  readonly secretName?: string;

  /**
   * Replaces the password now and then, in a way that applications survive. The users `<name>_a` and `<name>_b` take
   * turns, with the same rights; the user itself stays for what was defined in its name. Not beside `secretName`.
   *
   * @default - the password stays until somebody changes the Secret
   */
  readonly rotation?: PasswordRotation;
}
