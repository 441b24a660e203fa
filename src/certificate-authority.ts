/** A certificate authority, in PEM, that an object of the cluster's namespace holds. */
export class CertificateAuthority {
  /** In a ConfigMap. */
  public static fromConfigMap(name: string, key: string = 'ca.crt'): CertificateAuthority {
    return new CertificateAuthority('configmaps', name, key);
  }

  /** In a Secret. */
  public static fromSecret(name: string, key: string = 'ca.crt'): CertificateAuthority {
    return new CertificateAuthority('secrets', name, key);
  }

  private constructor(
    /** `configmaps` or `secrets`. */
    public readonly resource: string,
    /** Name of the object. */
    public readonly name: string,
    /** Key in it. */
    public readonly key: string,
  ) {}
}
