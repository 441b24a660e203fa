/** Keys of a Secret with the credentials of S3. */
export interface S3SecretKeys {
  /**
   * Key that holds the access key's id.
   *
   * @default AWS_ACCESS_KEY_ID
   */
  readonly keyId?: string;

  /**
   * Key that holds the secret access key.
   *
   * @default AWS_SECRET_ACCESS_KEY
   */
  readonly secretKey?: string;
}

/** How members log in to S3. */
export class StorageAccess {
  /**
   * With the keys of an existing Secret of the cluster's namespace. A changed Secret is read again when the storage
   * refuses the old keys; nothing restarts.
   */
  public static secret(secretName: string, keys: S3SecretKeys = {}): StorageAccess {
    return new StorageAccess('shared', secretName, keys);
  }

  /**
   * With the identity of the members' ServiceAccount (IRSA on EKS, or any other web identity). The ServiceAccount
   * carries `eks.amazonaws.com/role-arn`. EKS gives the identity to Pods when they are made: on a living cluster each
   * member takes it up when its Pod is replaced.
   */
  public static webIdentity(roleArn: string): StorageAccess {
    return new StorageAccess('web-id', undefined, undefined, roleArn);
  }

  /**
   * With EKS Pod Identity, associated with the ServiceAccount of the cluster's name outside of these manifests. Needs
   * pgBackRest 2.58 or newer in the image, which the images of this project do not have yet; it is refused with them.
   */
  public static podIdentity(): StorageAccess {
    return new StorageAccess('pod-id');
  }

  private constructor(
    /** `shared`, `web-id` or `pod-id`, as pgBackRest writes it. */
    public readonly keyType: string,
    /** Secret with the keys. */
    public readonly secretName?: string,
    /** Keys in that Secret. */
    public readonly secretKeys?: S3SecretKeys,
    /** Role that the web identity takes on. */
    public readonly roleArn?: string,
  ) {}
}
