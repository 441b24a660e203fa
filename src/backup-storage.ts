import type { BackupEncryption } from './backup-encryption';
import type { CertificateAuthority } from './certificate-authority';
import type { NetworkPeer } from './network';
import type { StorageAccess } from './storage-access';

/** What all kinds of storage have in common. */
export interface BackupStorageOptions {
  /**
   * Folder in the bucket, without a slash at either end. Each cluster writes to `<prefix>/<namespace>/<clusterName>`
   * below it. Another prefix is another, empty repository: backups in the old one stay and are no longer seen.
   *
   * @default - none: `<namespace>/<clusterName>` at the root of the bucket
   */
  readonly prefix?: string;

  /**
   * Encryption by the members, before anything leaves them. It is decided when a repository is made: on a repository
   * that holds backups a change is refused by pgBackRest, and archiving stops until it is taken back.
   *
   * @default BackupEncryption.generated()
   */
  readonly encryption?: BackupEncryption;

  /**
   * Where the storage is, for the members' NetworkPolicy.
   *
   * @default - any address, on the storage's port
   */
  readonly network?: NetworkPeer[];
}

/** A bucket of Amazon S3, or of any server with its interface (MinIO, Ceph, Google Cloud Storage, …). */
export interface S3StorageOptions extends BackupStorageOptions {
  /** Name of the bucket. It must exist. */
  readonly bucket: string;

  /** How the members log in. */
  readonly access: StorageAccess;

  /**
   * Host of the server, with a port where it is not 443, such as `minio.storage.svc:9000`. Always HTTPS.
   *
   * @default - Amazon's own, `s3.<region>.amazonaws.com`
   */
  readonly endpoint?: string;

  /**
   * Region.
   *
   * @default us-east-1
   */
  readonly region?: string;

  /**
   * The bucket stands in the path (`https://host/bucket/…`) and not in the host's name. Most servers but Amazon's want
   * it so.
   *
   * @default - true with an `endpoint`, else false
   */
  readonly pathStyle?: boolean;

  /**
   * Who has signed the server's certificate.
   *
   * @default - the authorities that the image brings
   */
  readonly certificateAuthority?: CertificateAuthority;

  /**
   * The server's certificate is not checked: whoever sits in between reads the keys. For tests only.
   *
   * @default false
   */
  readonly insecureSkipTlsVerify?: boolean;
}

/** A bucket of Google Cloud Storage, by its own interface. */
export interface GcsStorageOptions extends BackupStorageOptions {
  /** Name of the bucket. It must exist. */
  readonly bucket: string;

  /**
   * Secret with the JSON key of a service account.
   *
   * @default - none: the identity of the node or of the workload
   */
  readonly keySecret?: string;

  /**
   * Key in that Secret.
   *
   * @default key.json
   */
  readonly keySecretKey?: string;
}

/** A container of Azure Blob Storage. */
export interface AzureStorageOptions extends BackupStorageOptions {
  /** Name of the container. It must exist. */
  readonly container: string;

  /** Name of the storage account. */
  readonly account: string;

  /**
   * Secret with the account's shared key.
   *
   * @default - none: the identity that is managed by Azure, which needs pgBackRest 2.58 in the image
   */
  readonly keySecret?: string;

  /**
   * Key in that Secret.
   *
   * @default AZURE_STORAGE_ACCOUNT_KEY
   */
  readonly keySecretKey?: string;
}

/** A bucket of S3 whose place stands in a Secret too. */
export interface SecretStorageOptions extends BackupStorageOptions {
  /** Secret of the cluster's namespace, with the keys that `BackupStorage.fromSecret()` lists. */
  readonly secretName: string;
}

/** One of them. */
interface StorageKinds {
  readonly s3?: S3StorageOptions;
  readonly gcs?: GcsStorageOptions;
  readonly azure?: AzureStorageOptions;
  readonly secret?: SecretStorageOptions;
}

/**
 * Where backups and the write-ahead log go. One storage may serve any number of clusters: each has its own path. Makes
 * no objects; Secrets that it names must exist in the namespace of each cluster that uses it.
 */
export class BackupStorage {
  /** Amazon S3, or any server with its interface. */
  public static s3(options: S3StorageOptions): BackupStorage {
    return new BackupStorage('s3', { s3: options });
  }

  /** Google Cloud Storage, by its own interface. */
  public static gcs(options: GcsStorageOptions): BackupStorage {
    return new BackupStorage('gcs', { gcs: options });
  }

  /** Azure Blob Storage. */
  public static azure(options: AzureStorageOptions): BackupStorage {
    return new BackupStorage('azure', { azure: options });
  }

  /**
   * Amazon S3, or any server with its interface, of which the manifests know nothing but a Secret: members read it when
   * they need it. Keys `bucket`, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`; where they are needed `region`
   * (`us-east-1`), `endpointURL` (Amazon's own; HTTPS on port 443), `forcePathStyle` (`true` with an `endpointURL`) and
   * `ca.crt`. Another bucket in it is another, empty repository. Mistakes in it are told by the members, not at
   * synthesis, and restore drills of PostgreSQL need a storage that is described. Documents use it for a storage that
   * none of them describes.
   */
  public static fromSecret(secretName: string, options: BackupStorageOptions = {}): BackupStorage {
    return new BackupStorage('s3', { secret: { ...options, secretName } });
  }

  /** Set for `s3`. */
  public readonly s3Options?: S3StorageOptions;

  /** Set for `gcs`. */
  public readonly gcsOptions?: GcsStorageOptions;

  /** Set for `azure`. */
  public readonly azureOptions?: AzureStorageOptions;

  /** Set for a storage that a Secret describes. */
  public readonly secretOptions?: SecretStorageOptions;

  private constructor(
    /** `s3`, `gcs` or `azure`, as pgBackRest writes it. */
    public readonly type: string,
    options: StorageKinds,
  ) {
    this.s3Options = options.s3;
    this.gcsOptions = options.gcs;
    this.azureOptions = options.azure;
    this.secretOptions = options.secret;
  }
}
