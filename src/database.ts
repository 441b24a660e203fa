/**
 * A database that exists from the start. It is made once, when the cluster is; a later change here makes or drops
 * nothing.
 */
export interface PostgresDatabase {
  /** Name of the database: a lower-case letter or `_`, then letters, digits, `_`; at most 63 characters. */
  readonly name: string;

  /**
   * Role that owns it. Its connection lies in the Secret `<cluster>-<owner>`.
   *
   * @default - the database's name
   */
  readonly owner?: string;
}
