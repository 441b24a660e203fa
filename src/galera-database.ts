/** A database of a Galera cluster. */
export interface GaleraDatabase {
  /** Name of the database: a letter or `_`, then letters, digits, `_`; at most 63 characters. */
  readonly name: string;

  /**
   * User with all rights on it. Its connection lies in the Secret `<cluster>-<owner>`.
   *
   * @default - the database's name
   */
  readonly owner?: string;
}
