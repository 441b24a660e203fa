import type { Duration } from 'cdk8s';
import type { ISecret } from 'cdk8s-plus-27';

/** Where External Secrets finds the passwords of a cluster. */
export interface ExternalCredentialsOptions {
  /** Name of the SecretStore. */
  readonly store: string;

  /**
   * The store is a ClusterSecretStore.
   *
   * @default false
   */
  readonly clusterStore?: boolean;

  /**
   * What the remote keys start with: `<prefix>/credentials` has the properties `superuser`, `replication`, `rewind`,
   * `pooler` and, with an agent, `agent`; `<prefix>/<role>` has `password`, for each role that logs in.
   *
   * @default - `<namespace>/<cluster>`
   */
  readonly keyPrefix?: string;

  /**
   * How often the store is read. A password that changes there reaches the server half a minute after the Secret with
   * an agent, else at the next promotion.
   *
   * @default Duration.hours(1)
   */
  readonly refreshInterval?: Duration;
}

/**
 * Where the passwords of the cluster's own roles (superuser, replication, rewind) and of the roles that log in come
 * from. Passwords are never in Git: the manifests hold references, or Secrets without a value.
 */
export class Credentials {
  /**
   * The members fill the Secrets `<cluster>-credentials` and `<cluster>-<owner>` once, with random passwords, when they
   * start for the first time; the agent fills those of other roles. Their rights cover exactly these Secrets. The
   * default.
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

  /**
   * The External Secrets operator fills the Secrets from a store. Creates an ExternalSecret
   * (`external-secrets.io/v1`) for the cluster and for each role that logs in, and no Secret; members wait until the
   * operator has made them. The operator and the store must exist.
   */
  public static external(options: ExternalCredentialsOptions): Credentials {
    return new Credentials(false, undefined, options);
  }

  private constructor(
    /** True: the members and the agent fill the Secrets. */
    public readonly generates: boolean,
    /** Name of the existing Secret. */
    public readonly secretName?: string,
    /** Where External Secrets finds them. */
    public readonly externalStore?: ExternalCredentialsOptions,
  ) {}
}
