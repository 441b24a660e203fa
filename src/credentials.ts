import type { ISecret } from 'cdk8s-plus-27';

/**
 * Where the passwords of the cluster's own roles (superuser, replication, rewind) and of the owners come from.
 * Passwords are never in Git: the manifests hold references, or Secrets without a value.
 */
export class Credentials {
  /**
   * The members fill the Secrets `<cluster>-credentials` and `<cluster>-<owner>` once, with random passwords, when they
   * start for the first time. Their rights cover exactly these Secrets. The default.
   */
  public static generated(): Credentials {
    return new Credentials(true);
  }

  /**
   * An existing Secret (made by hand, by External Secrets, by SOPS …) holds the passwords of the cluster's own roles
   * under the keys `superuser`, `replication` and `rewind`, and for each owner one Secret `<cluster>-<owner>` with the
   * keys `user` and `password` exists too. Members wait, and say so, until they are there.
   */
  public static existing(secretName: string): Credentials {
    return new Credentials(false, secretName);
  }

  /** The same as `existing`, for a Secret of cdk8s-plus. */
  public static fromSecret(secret: ISecret): Credentials {
    return new Credentials(false, secret.name);
  }

  private constructor(
    /** True: the members fill the Secrets. */
    public readonly generates: boolean,
    /** Name of the existing Secret. */
    public readonly secretName?: string,
  ) {}
}
