/** An extension of a database. */
export interface PostgresExtension {
  /** Name as `CREATE EXTENSION` takes it, such as `pg_trgm`. It must be in the image. */
  readonly name: string;

  /**
   * Version that it is brought to. A newer one than the image has is reported, not tried.
   *
   * @default - what the image brings when the extension is made; later images change nothing
   */
  readonly version?: string;

  /**
   * Schema for its objects; it is made where it is not there. An extension that exists elsewhere is reported, not
   * moved.
   *
   * @default - `public`, or what the extension itself asks for
   */
  readonly schema?: string;
}

/** A schema of a database. */
export interface PostgresSchema {
  /** A lower-case letter or `_`, then letters, digits, `_`; at most 63 characters. */
  readonly name: string;

  /**
   * Role that owns it: an owner of a database, or one of `roles`.
   *
   * @default - the owner of the database
   */
  readonly owner?: string;
}

/**
 * A database. The members make the ones that are declared when the cluster is made; with an agent, later ones are made
 * too, and kept as declared. Nothing is ever dropped: what is taken out of here stays in the server.
 */
export interface PostgresDatabase {
  /** Name of the database: a lower-case letter or `_`, then letters, digits, `_`; at most 63 characters. */
  readonly name: string;

  /**
   * Role that owns it. Its connection lies in the Secret `<cluster>-<owner>`. A database that exists with another owner
   * is reported, not given away.
   *
   * @default - the database's name
   */
  readonly owner?: string;

  /**
   * Extensions, with the ones that they need. Made within half a minute after the manifests are applied; nothing
   * restarts. Needs an `agent`.
   *
   * @default - none
   */
  readonly extensions?: PostgresExtension[];

  /**
   * Schemas beside `public`. Needs an `agent`.
   *
   * @default - none
   */
  readonly schemas?: PostgresSchema[];
}
